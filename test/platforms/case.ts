import type { Fault } from '../../app/sandbox/faults.ts'
import { strategiesOf } from '../../src/config/parse.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import type { Strategy } from '../../src/platforms/strategy.ts'
import type { Content } from '../support/repository.ts'

export type Tree = Readonly<Record<string, Content>>

/** What is known of a platform before it runs: all that the shared suites need to take it through everything. */
export interface PlatformCase {
  readonly name: string
  readonly platform: Platform
  /** What stands in the config file besides `platform`, `id` and `path`: `settings`, `deploy`, … */
  readonly entry: Readonly<Record<string, unknown>>
  /** The agent's files with content 0, 1 or 2: each is to be told from the others once it is live. */
  tree(content: number): Tree
  /** Files that break a rule of the platform: nothing may be sent of them. */
  readonly broken: Tree
  /** What a refusal of them says. */
  readonly brokenSays: string
  /** Requests that change something; each is hit by every fault, by those of a rollback only in rollbacks. */
  readonly writes: readonly { readonly method: string; readonly path: RegExp; readonly of?: 'rollback' }[]
  /** The release version of the first deploy; 1.0.0 when left out. That of the second is 1.1.0. */
  readonly firstVersion?: string
  /** What the agent gets at its start, by name: as secret as the credentials. */
  readonly agentEnv?: Readonly<Record<string, string>>
  /** A version that somebody else makes the active one changes nothing of what serves. */
  readonly servesApart?: true
  start(): Promise<PlatformRig>
}

/** The emulated platform with one agent that nobody of us has deployed yet. */
export interface PlatformRig {
  readonly url: string
  readonly credentials: Readonly<Record<string, string>>
  readonly agentId: string
  /** Which content is live by the platform's own word; undefined when none of ours, or an edited one. */
  live(): number | undefined
  /** How many changes of what is live took effect through the API, by us. */
  effects(): number
  /** Somebody changes something that we manage, without us. Absent where nobody can. */
  edit?(): void
  /** Somebody changes something that we do not manage. */
  editBeside?(): void
  /** Somebody deploys a version without us. Absent where that is an edit. */
  deployElsewhere?(): Promise<void>
  hasEditBeside?(): boolean
  /** Lets something happen between the last look at the agent and the change of it. */
  meanwhile?(act: () => void): void
  /** How the last change was done, where there is a choice. */
  lastStrategy?(): Strategy | undefined
  fault(fault: Fault): void
  readonly requests: readonly { readonly method: string; readonly path: string }[]
  readonly violations: readonly string[]
  close(): Promise<void>
}

/** What the platform can do, by the settings of the case. */
export function strategiesIn({ platform, entry }: PlatformCase): readonly Strategy[] {
  return strategiesOf(platform, platform.settings.parse(entry['settings'] ?? {}))
}

/** Requests of the list that change something. */
export function writesIn(requests: PlatformRig['requests'], { writes }: PlatformCase): number {
  return requests.filter(({ method, path }) =>
    writes.some((write) => write.method === method && write.path.test(path.split('?')[0] ?? '')),
  ).length
}
