import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNasiko2 } from '../../app/sandbox/nasiko/second.ts'
import { nasiko } from '../../src/platforms/nasiko/nasiko.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { agentFiles } from '../support/nasiko.ts'
import { temporaryFolder } from '../support/repository.ts'
import { describePlatform, type PlatformRig } from './conformance.ts'

async function start(): Promise<PlatformRig> {
  const folder = temporaryFolder()
  const server = await startNasiko2({ root: folder.path, buildMs: 1 })
  const { token, login } = server.addAccount('ada')
  const id = await server.addAgent({ owner: login, name: 'bot' })
  return {
    url: server.url,
    credentials: { NASIKO_TOKEN: token },
    agentId: id,
    live() {
      const { folder: files } = server.agent(id)
      return files === undefined ? undefined : Number(readFileSync(join(files, 'content.txt'), 'utf8'))
    },
    effects() {
      const { updates, rollbacks } = server.agent(id)
      return updates + rollbacks
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

const { 'docker-compose.yml': _, 'main.py': __, ...files } = agentFiles('')

describePlatform({
  name: 'Nasiko, second generation',
  // By its settings it has no strategies.
  platform: { ...nasiko, strategies: [] } as Platform,
  entry: { settings: { generation: 2 } },
  tree: (content) => ({ ...files, 'content.txt': String(content) }),
  broken: { 'main.py': 'print("no Dockerfile")\n' },
  writes: [
    { method: 'PUT', path: /\/update$/ },
    { method: 'POST', path: /\/rollback$/, of: 'rollback' },
  ],
  firstVersion: '1.0.1',
  start,
})
