/** Unchanged lines shown around a change. */
const context = 2
/** Lines shown of one text. */
const mostLines = 60
/** A line of a minified document is as long as the document. */
const longestLine = 300
/** Cells of the table below: 4 million are some 30 ms; longer texts are shown as removed and added. */
const mostCells = 4_000_000

/** The lines that differ, with their surroundings, each begun by `+`, `-`, a space or `…`. */
export function lineDifference(before: string, after: string): readonly string[] {
  const script = compareLines(split(before), split(after))
  if (script.every(({ sign }) => sign === ' ')) return ['  (only line ends differ)']
  const shown = script.map((line, at) => {
    return script.slice(Math.max(0, at - context), at + context + 1).some(({ sign }) => sign !== ' ') ? line : undefined
  })
  const lines: string[] = []
  for (const line of shown) {
    if (line)
      lines.push(`${line.sign} ${line.text.length > longestLine ? `${line.text.slice(0, longestLine)}…` : line.text}`)
    else if (lines.at(-1) !== '…') lines.push('…')
  }
  if (lines.length <= mostLines) return lines
  return [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more lines`]
}

interface Line {
  readonly sign: '+' | '-' | ' '
  readonly text: string
}

function split(text: string): readonly string[] {
  if (text === '') return []
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function compareLines(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  const most = Math.min(before.length, after.length) - head
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const same = (text: string): Line => ({ sign: ' ', text })
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ]
}

/** The longest common subsequence by the classic table; texts here are prompts, not books. */
function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1
  const removed = before.map((text): Line => ({ sign: '-', text }))
  const added = after.map((text): Line => ({ sign: '+', text }))
  if (before.length * after.length === 0 || (before.length + 1) * width > mostCells) return [...removed, ...added]
  const common = new Uint32Array((before.length + 1) * width)
  const at = (row: number, column: number) => common[row * width + column] ?? 0
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const both = before[row] === after[column]
      common[row * width + column] = both
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ sign: ' ', text: before[row++] ?? '' })
      column++
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push({ sign: '-', text: before[row++] ?? '' })
    else lines.push({ sign: '+', text: after[column++] ?? '' })
  }
  return [...lines, ...removed.slice(row), ...added.slice(column)]
}
