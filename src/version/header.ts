/** The first line of a conventional commit, or a line of the same form elsewhere in a message. */
export interface Header {
  /** Lower case: types are compared without regard to case. */
  readonly type: string
  readonly scope: string | undefined
  readonly breaking: boolean
  readonly description: string
}

const form = /^([A-Za-z][A-Za-z0-9-]*)(?:\(([^()]+)\))?(!)?: +(\S[^]*)$/
const nearForm = /^(?:feat|feature|fix|perf)(?:\s*\([^()]*\))?\s*!?\s*:/i

/** Type, optional scope, optional `!`, a colon and at least one space, a text (Conventional Commits 1.0.0, rules 1 to 5). */
export function readHeader(line: string): Header | undefined {
  const match = form.exec(line)
  if (match === null) return undefined
  const [, type = '', scope, breaking, description = ''] = match
  return { type: type.toLowerCase(), scope, breaking: breaking !== undefined, description: description.trimEnd() }
}

/** True for a line that was probably meant to be a header, such as `feat:no space` or `fix (scope): text`. */
export function looksLikeHeader(line: string): boolean {
  return nearForm.test(line)
}
