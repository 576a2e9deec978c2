/** How a cost grows with a size: the points, and the exponent `e` of `cost ≈ c · size^e`. */
export interface Curve {
  readonly group: string
  readonly what: string
  /** Of the sizes: `files`, `commits`. */
  readonly of: string
  readonly unit: string
  readonly points: readonly Point[]
  /** Least squares on the logarithms of all points: a fixed cost, such as the start of Node, makes it smaller. */
  readonly exponent: number
  /** Between the two largest sizes, where a fixed cost matters least. */
  readonly last: number
  readonly most: number
  readonly met: boolean
}

export interface Point {
  readonly size: number
  readonly cost: number
}

/** Proportional, with a little room for noise and for the logarithm in sorting. */
export const linear = 1.1
/** Does not grow: noise of ten percent over a factor of ten. */
export const constant = 0.05

export function curve(
  about: { group: string; what: string; of: string; unit: string; most: number },
  points: readonly Point[],
): Curve {
  const exponent = slope(points)
  const last = slope(points.slice(-2))
  return { ...about, points, exponent, last, met: Math.max(exponent, last) <= about.most }
}

function slope(points: readonly Point[]): number {
  const logs = points
    .filter(({ size, cost }) => size > 0 && cost > 0)
    .map(({ size, cost }) => [Math.log(size), Math.log(cost)] as const)
  const mean = (at: 0 | 1) => logs.reduce((sum, log) => sum + log[at], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const over = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0)
  const under = logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}

export function renderCurves(curves: readonly Curve[]): string {
  return curves.map(renderCurve).join('\n\n')
}

function renderCurve({ group, what, of, unit, points, exponent, last, most, met }: Curve): string {
  const sizes = [of, ...points.map(({ size }) => size.toLocaleString('en'))]
  const costs = [unit, ...points.map(({ cost }) => (cost >= 100 ? cost.toFixed(0) : cost.toPrecision(2)))]
  const widths = sizes.map((size, at) => Math.max(size.length, costs[at]?.length ?? 0))
  const line = (cells: readonly string[]) => cells.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')
  const verdict = `exponent ${exponent.toFixed(2)}, at the end ${last.toFixed(2)}; budget ≤ ${most}: ${met ? 'met' : 'MISSED'}`
  return `${group}: ${what}\n  ${line(sizes)}\n  ${line(costs)}\n  ${verdict}`
}
