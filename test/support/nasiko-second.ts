import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startNasiko2 } from '../../app/sandbox/nasiko/second.ts'
import type { Nasiko2Profile } from '../../app/sandbox/nasiko/second-state.ts'
import { Settings } from '../../src/platforms/nasiko/settings.ts'
import { secondClient } from '../../src/platforms/nasiko/second.ts'
import type { Change, PlatformClient, Progress, Ticket } from '../../src/platforms/platform.ts'
import { testIo } from './io.ts'
import { agentFiles, zipOf } from './nasiko.ts'
import { temporaryFolder } from './repository.ts'

/** What an agent of the second generation needs, and no more. */
export function imageFiles(says: string): Record<string, string> {
  const { Dockerfile = '', 'server.mjs': server = '' } = agentFiles(says)
  return { Dockerfile, 'server.mjs': server }
}

export const crashing = { ...imageFiles(''), 'server.mjs': 'throw new Error("no model configured")' }

/** A Nasiko of the second generation with one agent of ada's, and the adapter before it; gone when the test is over. */
export async function standOn(profile: Partial<Nasiko2Profile> = {}, given: { version?: string } = {}) {
  const folder = temporaryFolder()
  const nasiko = await startNasiko2({ root: join(folder.path, 'nasiko'), buildMs: 0, startTimeoutMs: 3000, profile })
  onTestFinished(async () => {
    await nasiko.close()
    folder.remove()
  })
  const ada = nasiko.addAccount('ada')
  const id = await nasiko.addAgent({ owner: 'ada', name: 'bot', ...given })

  function connect(credentials: Record<string, string> = { NASIKO_TOKEN: ada.token }, agentId = id): PlatformClient {
    const connection = { name: 'c', platform: 'nasiko', baseUrl: `${nasiko.url}/`, credentials }
    return secondClient({ agentId, connection, settings: Settings.parse({ generation: 2 }) }, testIo({ fetch }))
  }

  function changeOf(releaseVersion: string, files = imageFiles(releaseVersion)): Change {
    const zip = zipOf(files)
    const path = join(folder.path, `${releaseVersion}.zip`)
    writeFileSync(path, zip)
    const patterns = { include: [], exclude: [], defaults: [] }
    return {
      ...{ releaseVersion, bump: 'minor', files: {}, key: 'k', strategy: 'rolling', cleanupOld: true },
      ...{ commit: 'c'.repeat(40), description: `commit of ${releaseVersion}` },
      bundle: { path, fileName: 'bot.zip', digest: 'sha256:x', size: zip.length, entries: [], patterns },
    }
  }

  const client = connect()

  /** What becomes of a ticket. */
  async function endOf(ticket: Ticket): Promise<Progress> {
    await nasiko.agent(id).settled
    return await client.check(ticket)
  }

  async function ship(version: string, files?: Record<string, string>): Promise<Progress> {
    return await endOf(await client.submit(changeOf(version, files), await client.find()))
  }

  async function goBack(version: string): Promise<Progress> {
    if (!client.rollback) throw new Error('this generation rolls back by itself')
    const target = { platformVersion: version, reason: 'too slow', cleanupFailed: true }
    return await endOf(await client.rollback(target, await client.find()))
  }

  return { nasiko, ada, id, folder: folder.path, client, connect, changeOf, endOf, ship, goBack }
}
