import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNasiko } from '../../../app/sandbox/nasiko/server.ts'
import { nasiko } from '../../../src/platforms/nasiko/nasiko.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { agentFiles, updateByHand } from '../../support/nasiko.ts'
import { temporaryFolder } from '../../support/repository.ts'
import type { PlatformCase, PlatformRig } from '../case.ts'

async function start(): Promise<PlatformRig> {
  const folder = temporaryFolder()
  const server = await startNasiko({ root: folder.path, buildMs: 1 })
  const { token, login } = server.addAccount('ada')
  const id = await server.addAgent({ owner: login, name: 'bot' })
  let others = 0
  return {
    url: server.url,
    credentials: { NASIKO_TOKEN: token },
    agentId: id,
    live() {
      const { serving, folderOf } = server.agent(id)
      const files = serving === undefined ? undefined : folderOf(serving)
      return files === undefined ? undefined : Number(readFileSync(join(files, 'content.txt'), 'utf8'))
    },
    effects() {
      const { updates, rollbacks } = server.agent(id)
      return updates + rollbacks - others
    },
    async deployElsewhere() {
      others += 1
      await updateByHand(`${server.url}/api/v1/agents/${id}/update`, { token, part: 'file', files: byHand })
      await server.agent(id).settled
    },
    lastStrategy: () => server.agent(id).lastStrategy,
    fault: (fault) => server.fault(fault),
    requests: server.requests,
    violations: server.violations,
    async close() {
      await server.close()
      folder.remove()
    },
  }
}

const byHand = { ...agentFiles('by hand'), 'content.txt': '-1' }

export const nasikoCase: PlatformCase = {
  name: 'Nasiko',
  platform: nasiko as Platform,
  entry: {},
  tree: (content) => ({ ...agentFiles(`content ${content}`), 'content.txt': String(content) }),
  broken: { 'main.py': 'print("no Dockerfile")\n' },
  brokenSays: 'there is no "Dockerfile"',
  writes: [
    { method: 'PUT', path: /\/update$/ },
    { method: 'POST', path: /\/rollback$/, of: 'rollback' },
  ],
  firstVersion: '1.0.1',
  start,
}
