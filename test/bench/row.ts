import type { Measured } from './measure.ts'

/** One line of the table: ours against a peer, and whether it is within its budget. */
export interface Row {
  readonly group: string
  readonly what: string
  readonly peer: string
  readonly unit: string
  readonly ours: number | undefined
  readonly theirs: number | undefined
  readonly spread: number
  readonly ratio: number | undefined
  /** `≤ 0.9`, `≥ 2`: what the ratio (or, for absolute budgets, our figure) has to be. */
  readonly budget: string
  readonly met: boolean | undefined
  readonly runs: number
  /** Why there is no figure, or what to know about it. */
  readonly note: string
}

/** The ratio is ours / theirs where less is better, so that 0.9 reads as "needs 0.9 of its time". */
export function compare(
  about: {
    group: string
    what: string
    peer: string
    budget: { most?: number; least?: number }
    unit?: string
    note?: string
  },
  measured: { ours: Measured | undefined; theirs: Measured | undefined },
): Row {
  const { ours, theirs } = measured
  const ratio = ours && theirs && theirs.median > 0 ? ours.median / theirs.median : undefined
  const { most, least } = about.budget
  const within = (value: number) => (most === undefined || value <= most) && (least === undefined || value >= least)
  return {
    group: about.group,
    what: about.what,
    peer: about.peer,
    unit: about.unit ?? 'ms',
    ours: ours?.median,
    theirs: theirs?.median,
    spread: Math.max(ours?.spread ?? 0, theirs?.spread ?? 0),
    ratio,
    budget: [most === undefined ? '' : `≤ ${most}×`, least === undefined ? '' : `≥ ${least}×`]
      .filter(Boolean)
      .join(' '),
    met: ratio === undefined || (most === undefined && least === undefined) ? undefined : within(ratio),
    runs: Math.min(ours?.runs ?? 0, theirs?.runs ?? 0),
    note: about.note ?? '',
  }
}

/** A budget in absolute figures: memory, milliseconds, counts; without `most`, for information. */
export function limit(
  about: { group: string; what: string; most?: number; unit: string; note?: string },
  measured: number | Measured | undefined,
): Row {
  const { most } = about
  const whole = typeof measured === 'object' ? measured : undefined
  const ours = typeof measured === 'object' ? measured.median : measured
  return {
    group: about.group,
    what: about.what,
    peer: '',
    unit: about.unit,
    ours,
    theirs: undefined,
    spread: whole?.spread ?? 0,
    ratio: undefined,
    budget: most === undefined ? '' : `≤ ${most} ${about.unit}`,
    met: ours === undefined || most === undefined ? undefined : ours <= most,
    runs: whole?.runs ?? 1,
    note: about.note ?? '',
  }
}

/** A row without figures: the peer is not on this machine. */
export function missing(about: { group: string; what: string; peer: string }, why: string): Row {
  const empty = { ours: undefined, theirs: undefined, ratio: undefined, met: undefined }
  return { ...about, ...empty, unit: '', spread: 0, budget: '', runs: 0, note: `not measured: ${why}` }
}

/** A group that broke off: nobody may take its silence for a result. */
export function failed(group: string, problem: string): Row {
  return { ...missing({ group, what: 'the whole group', peer: '' }, ''), met: false, note: `failed: ${problem}` }
}

export function render(rows: readonly Row[]): string {
  const figure = (value: number | undefined) =>
    value === undefined ? '–' : value >= 100 ? value.toFixed(0) : value.toFixed(value < 10 ? 2 : 1)
  if (rows.length === 0) return ''
  const cells = rows.map((row) => [
    row.group,
    row.what,
    row.peer,
    `${figure(row.ours)} ${row.ours === undefined ? '' : row.unit}`,
    `${figure(row.theirs)}`,
    row.ratio === undefined ? '–' : `${row.ratio.toFixed(2)}×`,
    row.budget,
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
    row.runs > 1 ? `±${row.spread.toFixed(0)} % of ${row.runs}` : '',
    row.note,
  ])
  const head = ['group', 'what', 'against', 'ours', 'theirs', 'ratio', 'budget', '', 'spread', 'note']
  const widths = head.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('\n')
}
