import type { Agent, Config } from '../src/config/config.ts'
import type { GitHub } from '../src/io.ts'
import type { App } from './context.ts'
import type { CommentFacts } from './engine/comments.ts'
import type { Commander } from './permission.ts'
import type { Pull } from './pull.ts'

/** What deciding about a comment's commands needs; each is read from GitHub once, and only when it is needed. */
export interface Asked {
  readonly app: App
  readonly facts: CommentFacts
  readonly id: string
  readonly github: GitHub
  readonly commander: () => Promise<Commander>
  /** Of the default branch: never of a pull request. */
  readonly config: () => Promise<Config>
  readonly pull: () => Promise<Pull>
  readonly touched: () => Promise<readonly Agent[]>
}
