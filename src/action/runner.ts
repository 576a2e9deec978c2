/** What a run needs of the workflow runner; `@actions/core` has it all. */
export interface Runner {
  readonly env: Readonly<Record<string, string | undefined>>
  getInput(name: string): string
  setSecret(secret: string): void
  setOutput(name: string, value: string): void
  /** Makes the step fail. */
  setFailed(): void
  debug(message: string): void
  info(message: string): void
  notice(message: string, place?: Place): void
  warning(message: string, place?: Place): void
  error(message: string, place?: Place): void
  startGroup(name: string): void
  endGroup(): void
  writeSummary(markdown: string): Promise<void>
  /** The webhook payload of the event. */
  readEvent(): Promise<unknown>
}

/** Where an annotation points to. */
export interface Place {
  readonly title?: string
  readonly file?: string
  readonly startLine?: number
  readonly startColumn?: number
}
