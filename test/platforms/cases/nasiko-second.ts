import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNasiko2 } from '../../../app/sandbox/nasiko/second.ts'
import { nasiko } from '../../../src/platforms/nasiko/nasiko.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { imageFiles } from '../../support/nasiko-second.ts'
import { updateByHand } from '../../support/nasiko.ts'
import { temporaryFolder } from '../../support/repository.ts'
import type { PlatformCase, PlatformRig } from '../case.ts'

async function start(): Promise<PlatformRig> {
  const folder = temporaryFolder()
  const server = await startNasiko2({ root: folder.path, buildMs: 1 })
  const { token, login } = server.addAccount('ada')
  const id = await server.addAgent({ owner: login, name: 'bot' })
  let others = 0
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
      return updates + rollbacks - others
    },
    async deployElsewhere() {
      others += 1
      const url = `${server.url}/api/agents/${id}/update`
      await updateByHand(url, { token, part: 'source', files: byHand, version: '1.8.0' })
      await server.agent(id).settled
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

const byHand = { ...imageFiles('by hand'), 'content.txt': '-1' }

export const nasikoSecondCase: PlatformCase = {
  name: 'Nasiko, second generation',
  platform: nasiko as Platform,
  entry: { settings: { generation: 2 } },
  tree: (content) => ({ ...imageFiles(`content ${content}`), 'content.txt': String(content) }),
  broken: { 'main.py': 'print("no Dockerfile")\n' },
  brokenSays: 'there is no "Dockerfile"',
  writes: [
    { method: 'PUT', path: /\/update$/ },
    { method: 'POST', path: /\/rollback$/, of: 'rollback' },
  ],
  firstVersion: '1.0.1',
  start,
}
