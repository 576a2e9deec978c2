import { z } from 'zod'
import { equal } from '../../src/document/canonical.ts'
import { holds } from '../../src/document/managed.ts'
import { HttpFailure, StaleRevision } from '../../src/http.ts'
import type { JsonObject, Live, Platform, PlatformClient, Progress } from '../../src/platforms/platform.ts'

/** A configuration service in memory: it counts its writes, and its replies can be lost. */
export interface DocumentPlatform {
  readonly platform: Platform
  content: JsonObject
  /** What was written, one entry a write. */
  readonly writes: JsonObject[]
  /** Somebody else's edit. */
  edit(change: JsonObject): void
  /** Called before a write is looked at. */
  meanwhile: () => void
  /** Keys that came with each request to write, oldest first. */
  readonly keys: string[]
  /** The next write takes effect, its reply is lost. */
  losesReply: boolean
  /** What is made of a value before it is kept. */
  alters: (content: JsonObject) => JsonObject
  progress: () => Progress
}

export function documentPlatform(over: Partial<Platform> = {}): DocumentPlatform {
  let revision = 1
  const memory: DocumentPlatform = {
    content: {},
    writes: [],
    edit(change) {
      memory.content = { ...memory.content, ...change }
      revision++
    },
    meanwhile: () => undefined,
    keys: [],
    losesReply: false,
    alters: (content) => content,
    progress: () => ({ state: 'live', platformVersion: 'one' }),
    platform: {
      id: 'paper',
      title: 'Paper',
      docs: '',
      settings: z.strictObject({ file: z.string().default('agent.yml'), skills: z.array(z.string()).default([]) }),
      env: { baseUrl: 'PAPER_BASE_URL', credentials: [['PAPER_TOKEN']] },
      defaultBaseUrl: 'http://127.0.0.1:9',
      tokenCredential: 'PAPER_TOKEN',
      bundle: { format: 'document', maxBytes: 2000 },
      document: {
        // As the schema above has it.
        file: (settings) => (settings as { file: string }).file,
        attachments: (settings) => (settings as { skills: string[] }).skills,
        normalize: (document) => {
          const problems = 'id' in document ? ['"id" is not yours to give'] : []
          return { document, problems }
        },
      },
      strategies: [],
      keepsReleaseVersion: false,
      connect: () => ({ find: async () => live(), submit, check: async () => memory.progress() }),
      ...over,
    },
  }

  function live(): Live {
    return { platformVersion: 'one', revision: String(revision), content: memory.content, versions: [] }
  }

  const submit: PlatformClient['submit'] = async (change, before) => {
    memory.keys.push(change.key)
    memory.meanwhile()
    const wanted = { document: change.document ?? {}, remove: change.remove ?? [] }
    if (!holds(memory.content, wanted)) {
      if (before.revision !== String(revision)) throw new StaleRevision('somebody was faster')
      const kept = Object.entries(memory.content).filter(([key]) => !wanted.remove.includes(key))
      const next = memory.alters({ ...Object.fromEntries(kept), ...wanted.document })
      if (!equal(next, memory.content)) memory.writes.push(next)
      memory.content = next
      revision++
    }
    if (memory.losesReply) {
      memory.losesReply = false
      throw new HttpFailure('ECONNRESET', { reached: 'maybe' })
    }
    return { operation: 'deploy', platformVersion: 'one' }
  }
  return memory
}
