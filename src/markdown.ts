/**
 * Text that others wrote (commit subjects, comments, platform messages) inside our Markdown: it can't break out of a
 * table, a code span or a fence, mention anyone, link, or fake one of our markers.
 */

const zeroWidthJoiner = '\u200d'

/** For running text and table cells: one line, every character that means something to GitHub's Markdown made plain. */
export function inert(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#!|~]/g, (character) => `\\${character}`)
    .replace(/@(?=[\w-])/g, `@${zeroWidthJoiner}`)
    .replace(/\b(https?):\/\//gi, `$1:${zeroWidthJoiner}//`)
}

/** A code span; backticks inside can't end it. */
export function code(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/\|/g, '¦').trim()
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return line === '' ? '' : `${fence}${pad}${line}${pad}${fence}`
}

/** A block of lines; no run of backticks inside can end it. */
export function fence(lines: readonly string[], language: string): string {
  const longest = Math.max(2, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)))
  const marks = '`'.repeat(longest + 1)
  return [`${marks}${language}`, ...lines.map((line) => line.replace(/[\r\n]/g, ' ')), marks].join('\n')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
