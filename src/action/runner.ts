import type { Context } from './context.ts'

/** What a run needs of whatever it runs in: the workflow runner (`src/action.ts`), or a terminal (`src/cli.ts`). */
export interface Runner {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the repository: paths of inputs start there. */
  readonly workspace: string
  getInput(name: string): string
  setSecret(secret: string): void
  /** All of them, once. */
  setOutputs(outputs: Readonly<Record<string, string>>): void
  /** Makes the step fail. */
  setFailed(): void
  debug(message: string): void
  info(message: string): void
  notice(message: string, place?: Place): void
  warning(message: string, place?: Place): void
  error(message: string, place?: Place): void
  startGroup(name: string): void
  endGroup(): void
  writeSummary(markdown: string): void
  /** Where this is and what set it off; not asked for by commands that need only the config file. */
  readContext(): Promise<Context>
}

/** Where an annotation points to. */
export interface Place {
  readonly title?: string
  readonly file?: string
  readonly startLine?: number
  readonly startColumn?: number
}
