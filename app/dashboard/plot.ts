import { formatDuration } from '../../src/config/units.ts'
import type { Operation } from '../engine/operations.ts'
import { html, type Html, nothing } from './html.ts'
import { durationOf, toneOf } from './words.ts'

/** In units of the drawing; the stylesheet scales it. */
const height = 96
const slot = 12
const bar = 8
const floor = 80
/** Where the longest reaches. */
const top = 9
/** Right of the bars, for the longest's duration. */
const labelWidth = 24
/** A young agent's bars are as wide as those of an old one. */
const fewest = 30

interface Bar {
  readonly operation: Operation
  readonly ms: number
  readonly decision: string
}

const plotted: readonly string[] = ['deployed', 'rolled-back', 'failed', 'unknown']

/** How long deploys and rollbacks took and how they ended, oldest left; the same in words for those who can't see it. */
export function plotDurations(operations: readonly Operation[], now: number): Html {
  const bars = operations
    .flatMap((operation): Bar[] => {
      const ms = durationOf(operation, now)
      const { decision = '' } = operation
      return ms !== undefined && plotted.includes(decision) ? [{ operation, ms, decision }] : []
    })
    .reverse()
  if (bars.length < 2) return nothing
  const most = Math.max(...bars.map(({ ms }) => ms))
  const width = Math.max(bars.length, fewest) * slot + labelWidth
  return html`<figure class="plot">
    <svg
      viewBox="0 0 ${width} ${height}"
      width="${width * 2}"
      height="${height * 2}"
      role="img"
      aria-label="${inWords(bars)}"
    >
      <line class="axis" x1="0" y1="${floor}" x2="${width}" y2="${floor}" />
      <text x="${width}" y="12" text-anchor="end">${formatDuration(most)}</text>
      <line class="axis" x1="0" y1="${top}" x2="${width - 20}" y2="${top}" stroke-dasharray="2 3" />
      ${bars.map((one, index) => draw(one, { x: index * slot + (slot - bar) / 2, most }))}
    </svg>
    <figcaption>${inWords(bars)}</figcaption>
  </figure>`
}

/** Trouble hangs below the line as well, so that colour is not all there is. */
function draw({ operation, ms, decision }: Bar, at: { x: number; most: number }): Html {
  const tall = Math.max(2, Math.round((ms / at.most) * (floor - top)))
  const tone = toneOf(decision)
  const below =
    tone === 'good' ? '' : html`<rect class="${tone}" x="${at.x}" y="${floor + 3}" width="${bar}" height="8" rx="2" />`
  const title = `${operation.kind} ${decision}, ${formatDuration(ms)}`
  return html`<g
    ><title>${title}</title
    ><rect class="${tone}" x="${at.x}" y="${floor - tall}" width="${bar}" height="${tall}" rx="2" />${below}</g
  >`
}

/** Pure. */
export function inWords(bars: readonly { readonly ms: number; readonly decision: string }[]): string {
  const sorted = bars.map(({ ms }) => ms).sort((a, b) => a - b)
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  const longest = sorted.at(-1) ?? 0
  const counts = plotted.flatMap((decision) => {
    const count = bars.filter((one) => one.decision === decision).length
    return count > 0 ? [`${count} ${decision}`] : []
  })
  return `The last ${bars.length}: ${counts.join(', ')}; median ${formatDuration(median)}, longest ${formatDuration(longest)}.`
}
