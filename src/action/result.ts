import { z } from 'zod'
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
  reason: z.string().describe('Why the commit counts as it does.'),
})

const Version = z.object({
  version: z.string(),
  previous: z.string().optional(),
  bump: z.enum(['major', 'minor', 'patch', 'none', 'exact', 'initial']),
  reason: z.string(),
  commits: z.array(Commit),
  read: z.int().describe('Commits that were read.'),
  counted: z.int().describe('Commits that touched the agent.'),
  source: z.enum(['complete', 'deepened', 'api', 'none']).describe('How the history was had.'),
  warnings: z.array(z.string()),
})

const Difference = z.object({
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  lines: z.array(z.string()).describe('As in a unified diff.'),
})

const FileChanges = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
})

const AgentResult = z.object({
  agent: z.string().describe('Its name in the config file.'),
  operation: z.enum(['deploy', 'rollback']),
  decision: z.enum(decisions),
  code: z.string().describe('A reason code or an error code; the README lists all.'),
  message: z.string(),
  help: z.string().optional().describe('What to do, where something is to be done.'),
  platform: z.string().optional(),
  agentId: z.string().optional().describe('The platform’s id of the agent.'),
  commit: z.string().optional(),
  releaseVersion: z.string().optional().describe('Live now, or what a plan would make.'),
  previousVersion: z.string().optional(),
  platformVersion: z.string().optional().describe('What the platform calls it.'),
  buildId: z.string().optional(),
  deploymentId: z.string().optional(),
  githubDeploymentId: z.int().optional().describe('The GitHub deployment that records this.'),
  status: z.string().optional(),
  url: z.string().optional(),
  digest: z.string().optional().describe('sha256 of the bundle, `sha256:<hex>`.'),
  bundlePath: z.string().optional(),
  bundleSize: z.int().optional().describe('Bytes.'),
  files: z.int().optional().describe('Number of files that ship.'),
  version: Version.optional().describe('How the version was found.'),
  changes: z.array(Difference).optional().describe('What the deploy makes other on a configuration platform.'),
  drift: z.array(Difference).optional().describe('What somebody else edited there since the last deploy.'),
  fileChanges: FileChanges.optional().describe('Of a plan: against what is live, where that is known.'),
  tag: z.string().optional().describe('The git tag that was written for it.'),
  restoredVersion: z.string().optional().describe('Live again after a failed rollout.'),
  warnings: z.array(z.string()),
  startedAt: z.number().describe('Milliseconds since the epoch.'),
  finishedAt: z.number().describe('Milliseconds since the epoch.'),
})

export const Result = z.object({
  version: z.literal(1),
  command: z.string(),
  outcomes: z.array(AgentResult),
})
export type Result = z.infer<typeof Result>
