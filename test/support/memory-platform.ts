import { z } from 'zod'
import { HttpFailure } from '../../src/http.ts'
import type {
  Change,
  Live,
  Platform,
  PlatformClient,
  Progress,
  RollbackTarget,
  Ticket,
} from '../../src/platforms/platform.ts'

/** A platform in memory for the tests of the story: it counts effects, and loses replies when told to. */
export interface MemoryPlatform {
  readonly platform: Platform
  readonly effects: string[]
  live: string | undefined
  versions: { version: string; status: string }[]
  /** What the next calls of a verb do instead of answering. */
  readonly faults: {
    verb: 'find' | 'submit' | 'check' | 'rollback'
    kind: 'lost before' | 'lost after' | 'refused' | 'busy'
  }[]
  /** What `check` says before the new version is live; the last one stays. */
  progress: (ticket: Ticket) => Progress
}

export function memoryPlatform(live = '1.0.0'): MemoryPlatform {
  const memory: MemoryPlatform = {
    effects: [],
    live,
    versions: [{ version: live, status: 'active' }],
    faults: [],
    progress: (ticket) => ({
      state: 'live',
      platformVersion: ticket.platformVersion,
      releaseVersion: ticket.platformVersion,
    }),
    platform: {
      id: 'memory',
      title: 'Memory',
      docs: '',
      settings: z.strictObject({}),
      env: { baseUrl: 'MEMORY_BASE_URL', credentials: [['MEMORY_TOKEN']] },
      defaultBaseUrl: 'http://127.0.0.1:9',
      tokenCredential: 'MEMORY_TOKEN',
      bundle: { format: 'zip' },
      strategies: ['rolling', 'blue-green'],
      keepsReleaseVersion: true,
      connect: () => client(memory),
    },
  }
  return memory
}

function client(memory: MemoryPlatform): PlatformClient {
  const perform = (verb: MemoryPlatform['faults'][number]['verb'], effect: () => void) => {
    const at = memory.faults.findIndex((fault) => fault.verb === verb)
    const [fault] = at >= 0 ? memory.faults.splice(at, 1) : []
    if (fault?.kind === 'busy') throw new HttpFailure('HTTP 429', { reached: 'no', status: 429 })
    if (fault?.kind === 'refused') throw new HttpFailure('ECONNREFUSED', { reached: 'no' })
    if (fault?.kind === 'lost before') throw new HttpFailure('ECONNRESET', { reached: 'maybe' })
    effect()
    if (fault?.kind === 'lost after') throw new HttpFailure('ECONNRESET', { reached: 'maybe' })
  }
  const ticketOf = (operation: Ticket['operation'], version: string): Ticket => ({
    operation,
    platformVersion: version,
    releaseVersion: version,
  })
  return {
    async find(): Promise<Live> {
      perform('find', () => undefined)
      return {
        ...(memory.live ? { platformVersion: memory.live, releaseVersion: memory.live } : {}),
        versions: [...memory.versions],
      }
    },
    async submit(change: Change): Promise<Ticket> {
      perform('submit', () => {
        memory.effects.push(`deploy ${change.releaseVersion}`)
        memory.versions.unshift({ version: change.releaseVersion, status: 'active' })
        memory.live = change.releaseVersion
      })
      return ticketOf('deploy', change.releaseVersion)
    },
    async landed(change: Change, before: Live) {
      return memory.versions.length > before.versions.length ? ticketOf('deploy', change.releaseVersion) : undefined
    },
    async rollback(target: RollbackTarget): Promise<Ticket> {
      perform('rollback', () => {
        memory.effects.push(`rollback ${target.platformVersion}`)
        memory.live = target.platformVersion
      })
      return ticketOf('rollback', target.platformVersion)
    },
    async rolledBack(target: RollbackTarget) {
      return memory.live === target.platformVersion ? ticketOf('rollback', target.platformVersion) : undefined
    },
    async check(ticket: Ticket): Promise<Progress> {
      perform('check', () => undefined)
      return memory.progress(ticket)
    },
  }
}
