import * as z from 'zod/mini'
import { about } from '../config/key.ts'
import type { Decision } from '../outcome.ts'

/**
 * The `result` output: versioned JSON, published as `dist/result.schema.json`. Fields are added within a version; none
 * is taken away or changes its meaning. Only the build and the tests load this.
 */
const decisions = [
  'deployed',
  'rolled-back',
  'skipped',
  'held',
  'superseded',
  'refused',
  'failed',
  'unknown',
] as const satisfies readonly Decision[]

const Commit = z.object({
  sha: z.string(),
  subject: z.string(),
  bump: z.enum(['major', 'minor', 'patch', 'none']),
  reason: about(z.string(), 'Why the commit counts as it does.'),
})

const Version = z.object({
  version: z.string(),
  previous: z.optional(z.string()),
  bump: z.enum(['major', 'minor', 'patch', 'none', 'exact', 'initial']),
  reason: z.string(),
  commits: z.array(Commit),
  read: about(z.int(), 'Commits that were read.'),
  counted: about(z.int(), 'Commits that touched the agent.'),
  source: about(z.enum(['complete', 'deepened', 'api', 'none']), 'How the history was had.'),
  warnings: z.array(z.string()),
})

const Difference = z.object({
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  lines: about(z.array(z.string()), 'As in a unified diff.'),
})

const FileChanges = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
})

const AgentResult = z.object({
  agent: about(z.string(), 'Its name in the config file.'),
  operation: z.enum(['deploy', 'rollback']),
  decision: z.enum(decisions),
  code: about(z.string(), 'A reason code or an error code; the README lists all.'),
  message: z.string(),
  help: about(z.optional(z.string()), 'What to do, where something is to be done.'),
  platform: z.optional(z.string()),
  agentId: about(z.optional(z.string()), 'The platform’s id of the agent.'),
  commit: z.optional(z.string()),
  releaseVersion: about(z.optional(z.string()), 'Live now, or what a plan would make.'),
  previousVersion: z.optional(z.string()),
  platformVersion: about(z.optional(z.string()), 'What the platform calls it.'),
  buildId: z.optional(z.string()),
  deploymentId: z.optional(z.string()),
  githubDeploymentId: about(z.optional(z.int()), 'The GitHub deployment that records this.'),
  status: z.optional(z.string()),
  url: z.optional(z.string()),
  digest: about(z.optional(z.string()), 'sha256 of the bundle, `sha256:<hex>`.'),
  bundlePath: z.optional(z.string()),
  bundleSize: about(z.optional(z.int()), 'Bytes.'),
  files: about(z.optional(z.int()), 'Number of files that ship.'),
  version: about(z.optional(Version), 'How the version was found.'),
  changes: about(
    z.optional(z.array(Difference)),
    'What the deploy makes other: of the document on its platform, elsewhere of the settings (of a plan).',
  ),
  drift: about(z.optional(z.array(Difference)), 'What somebody else edited there since the last deploy.'),
  fileChanges: about(z.optional(FileChanges), 'Of a plan: against what is live, where that is known.'),
  tag: about(z.optional(z.string()), 'The git tag that was written for it.'),
  restoredVersion: about(z.optional(z.string()), 'Live again after a failed rollout.'),
  warnings: z.array(z.string()),
  startedAt: about(z.number(), 'Milliseconds since the epoch.'),
  finishedAt: about(z.number(), 'Milliseconds since the epoch.'),
})

export const Result = z.object({
  version: z.literal(1),
  command: z.string(),
  outcomes: z.array(AgentResult),
})
export type Result = z.infer<typeof Result>
