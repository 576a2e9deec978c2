import type { Agent } from '../src/config/config.ts'
import type { Clock, GitHub, Log } from '../src/io.ts'
import type { Connection, Platform } from '../src/platforms/platform.ts'
import type { Checkouts } from './checkouts.ts'
import type { ConfigReader } from './config-file.ts'
import type { Repository } from './engine/agents.ts'
import type { Engine } from './engine/port.ts'
import type { Histories } from './histories.ts'
import type { Store } from './engine/store.ts'
import type { Together } from './together.ts'
import type { Turnstile } from './turnstile.ts'

/** What every part of the app works with. */
export interface App {
  /** GitHub's id of this app: what it writes is told from what others write by it. */
  readonly appId: number
  readonly store: Store
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Log
  readonly platforms: readonly Platform[]
  readonly configs: ConfigReader
  /** What the operations of one push have in common is fetched once. */
  readonly checkouts: Checkouts
  readonly histories: Histories
  readonly looks: Together<string | undefined>
  /** An existing folder for bundles. */
  readonly scratch: string
  /** Hides every credential. */
  readonly redact: (text: string) => string
  github(repository: Repository): Promise<GitHub>
  /** Throws `connection-missing` or `connection-not-allowed`. */
  connect(agent: Agent, repository: Repository): Connection
  readonly fetch: typeof fetch
  /** For what takes memory and processor time: fetching and packing. */
  readonly inTurn: Turnstile
}
