import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Qoder, type QoderProfile, startQoder } from '../../app/sandbox/qoder/server.ts'
import type { Attachment, Change, JsonObject, PlatformClient } from '../../src/platforms/platform.ts'
import { qoderClient } from '../../src/platforms/qoder/client.ts'
import { normalize } from '../../src/platforms/qoder/document.ts'
import { Settings } from '../../src/platforms/qoder/settings.ts'
import { testIo } from './io.ts'
import { temporaryFolder } from './repository.ts'
import { zipOf } from './zip.ts'

/** A Qoder with one agent, and the adapter before it; gone when the test is over. */
export interface Stand {
  readonly qoder: Qoder
  readonly id: string
  readonly client: PlatformClient
  connect(settings?: JsonObject, over?: { pat?: string; fetch?: typeof fetch }): PlatformClient
}

/** A fetch before whose first PUT something happens: what comes between reading and writing. */
export function fetchAfter(event: () => void): typeof fetch {
  let happened = false
  return async (input, init) => {
    if (init?.method === 'PUT' && !happened) {
      happened = true
      event()
    }
    return await fetch(input, init)
  }
}

export async function standOn(profile: QoderProfile = {}, settings: JsonObject = {}): Promise<Stand> {
  const qoder = await startQoder({ profile })
  onTestFinished(() => qoder.close())
  const id = qoder.create({ name: 'helper', model: 'ultimate' })
  const connect: Stand['connect'] = (given = settings, over = {}) =>
    qoderClient(
      {
        agentId: id,
        connection: {
          name: 'c',
          platform: 'qoder',
          baseUrl: `${qoder.baseUrl}/`,
          credentials: { QODER_PAT: over.pat ?? qoder.pat },
        },
        settings: Settings.parse({ file: 'agent.yml', ...given }),
      },
      testIo({ fetch: over.fetch ?? fetch }),
    )
  return { qoder, id, client: connect(), connect }
}

/** A change as the core makes it of a document. */
export function changeOf(document: JsonObject, over: Partial<Change> = {}): Change {
  const attachments = over.attachments ?? []
  const settings = Settings.parse({ file: 'agent.yml', skills: attachments.map(({ folder }) => folder) })
  const normal = normalize(document, settings, attachments)
  if (!normal || normal.problems.length > 0) throw new Error(`a bad document: ${normal?.problems.join('; ')}`)
  return {
    releaseVersion: '1.1.0',
    bump: 'minor',
    document: normal.document,
    files: {},
    key: createHash('sha256').update(JSON.stringify(normal.document)).digest('hex'),
    strategy: 'rolling',
    cleanupOld: true,
    commit: 'c'.repeat(40),
    description: '',
    ...over,
  }
}

/** A folder with a SKILL.md as the core packs it. */
export function skillFolder(folder: string, given: { name?: string; text?: string } = {}): Attachment {
  const name = given.name ?? folder.split('/').at(-1)
  const matter = `---\nname: ${name}\ndescription: d\n---\n${given.text ?? 'Look it up.'}\n`
  return packed(folder, zipOf({ 'SKILL.md': matter }))
}

export function packed(folder: string, zip: Buffer): Attachment {
  const temporary = temporaryFolder()
  onTestFinished(temporary.remove)
  const path = join(temporary.path, 'skill.zip')
  writeFileSync(path, zip)
  return { folder, path, digest: `sha256:${createHash('sha256').update(zip).digest('hex')}`, size: zip.length }
}
