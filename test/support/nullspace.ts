import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NullspaceProfile } from '../../app/sandbox/nullspace/profile.ts'
import { type SandboxNullspace, startNullspace } from '../../app/sandbox/nullspace/server.ts'
import type { PlatformRig } from '../platforms/case.ts'
import { packBundle } from '../../src/bundle/pack.ts'
import type { Change, ShippedBundle } from '../../src/platforms/platform.ts'
import { type Content, temporaryFolder, writeTree } from './repository.ts'

/** An agent that says which content it is; a server where `PORT` asks for one. */
export function agentFiles(content: number): Record<string, string> {
  return {
    'main.mjs': `import { createServer } from 'node:http'
const content = 'content ${content}'
if (process.argv[2] === 'job') console.log(content)
else createServer((request, response) => response.end(content)).listen(Number(process.env.PORT), '127.0.0.1')
`,
    'lib/data.txt': 'x'.repeat(2000),
  }
}

export const jobFile = 'mode = "job"\nentrypoint = "node main.mjs job"\n[env]\nrequired = ["MODEL"]\n'
export const serviceFile =
  'mode = "service"\nentrypoint = "node main.mjs"\n[service]\nport = 8080\nreadiness = { path = "/health", timeout_seconds = 10 }\n'

/** The content of a version that was uploaded. */
export function contentOf(folder: string): number {
  const found = /content (\d)/.exec(readFileSync(join(folder, 'main.mjs'), 'utf8'))?.[1]
  if (found === undefined) throw new Error('that is no content of ours')
  return Number(found)
}

type Deployed = ReturnType<SandboxNullspace['deployment']>

/** What runs: the one version of the services that are ready, or a job's active version. */
export function liveVersion({ mode, active, versions, services }: Deployed) {
  const serving = new Set(services.filter(({ status }) => status === 'ready').map(({ versionId }) => versionId))
  const [only] = serving
  const id = mode === 'job' ? active : serving.size === 1 ? only : undefined
  return versions.find((version) => version.id === id)
}

export async function startRig(about: {
  mode: 'job' | 'service'
  profile?: Partial<NullspaceProfile>
  effects: (deployed: Deployed) => number
}): Promise<PlatformRig> {
  const folder = temporaryFolder()
  const server = await startNullspace({ root: folder.path, buildMs: 0, ...(about.profile ? about : {}) })
  const id = server.addDeployment({ name: 'bot', mode: about.mode })
  return {
    url: server.url,
    credentials: { NULLSPACE_API_KEY: server.apiKey },
    agentId: id,
    live() {
      const version = liveVersion(server.deployment(id))
      return version && contentOf(version.folder)
    },
    effects: () => about.effects(server.deployment(id)),
    async deployElsewhere() {
      server.publishElsewhere(id)
    },
    lastStrategy() {
      const { services, mode } = server.deployment(id)
      const replaced = services.some(({ status }) => status === 'stopped') ? 'blue-green' : 'rolling'
      return mode === 'job' ? undefined : replaced
    },
    fault: (fault) => server.fault(fault),
    requests: server.requests,
    violations: server.violations,
    async close() {
      await server.close()
      folder.remove()
    },
  }
}

/** A tar of a tree, as the core packs and ships it. */
export async function shippedTar(folder: string, tree: Readonly<Record<string, Content>>): Promise<ShippedBundle> {
  const root = mkdtempSync(join(folder, 'tree-'))
  writeTree(root, tree)
  const files = Object.keys(tree)
    .sort()
    .map((path) => ({ path, state: 'tracked' }) as const)
  const exclude = ['*.log']
  const bundle = await packBundle({
    checkout: { root, files },
    agentPath: '',
    rules: { include: [], exclude, allowSecrets: [], maxBytes: undefined, maxEntries: undefined },
    format: 'tar',
    out: `${root}.tar`,
    agent: 'bot',
    platform: 'Nullspace',
    inspect: undefined,
    signal: new AbortController().signal,
  })
  return { ...bundle, fileName: 'bot-1.0.0.tar', patterns: { include: [], exclude, defaults: ['.git'] } }
}

export function changeOf(bundle: ShippedBundle, over: Partial<Change> = {}): Change {
  return {
    releaseVersion: '1.0.0',
    bump: 'exact',
    bundle,
    files: {},
    key: 'commit-1',
    strategy: 'rolling',
    cleanupOld: true,
    commit: 'c'.repeat(40),
    description: '',
    ...over,
  }
}
