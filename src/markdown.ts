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
    .replace(/\bwww\./gi, (start) => `${start.slice(0, -1)}${zeroWidthJoiner}.`)
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

/**
 * At most `length` characters, cut after a line; what was open there (a fence, a fold) is closed, so that what comes next
 * is not swallowed by it.
 */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  const end = '\n\n…the rest is left out here.'
  // Room for what has to be closed: folds do not lie more than a few deep, fences are short.
  let kept = text.slice(0, Math.max(0, length - end.length - 100))
  kept = kept.slice(0, Math.max(0, kept.lastIndexOf('\n')))
  let open: string | undefined
  let folds = 0
  for (const line of kept.split('\n')) {
    const mark = /^ {0,3}(`{3,})/.exec(line)?.[1]
    if (mark !== undefined && open === undefined) open = mark
    else if (open !== undefined && mark?.startsWith(open) && line.trim() === mark) open = undefined
    if (open !== undefined) continue
    folds += (line.match(/<details>/g) ?? []).length - (line.match(/<\/details>/g) ?? []).length
  }
  const closed = `${open === undefined ? '' : `\n${open}`}${'\n\n</details>'.repeat(Math.min(Math.max(folds, 0), 4))}`
  return `${kept}${closed}${end}`
}
