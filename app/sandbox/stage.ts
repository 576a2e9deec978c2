/** One server of the sandbox as `npm run sandbox` starts it, with the sample agents on it. */
export interface Stage {
  readonly title: string
  /** Other ways that the platform is documented or known to behave, by name: what each does. */
  readonly profiles?: Readonly<Record<string, string>>
  start(options: { root: string; port: number; profile: string | undefined }): Promise<{
    readonly url: string
    /** What a person needs to use it: names and values. */
    readonly facts: readonly (readonly [name: string, value: string])[]
    /** Commands to try. */
    readonly tries: readonly string[]
    close(): Promise<void>
  }>
}
