import { deployLarge } from '../doors/large.ts'
import type { Bench } from './bench.ts'
import { limit, type Row } from './row.ts'

const million = 1_000_000
const budgetMb = 200

/** A whole deploy of one large bundle to Nullspace, by the Action and by the App as processes: their memory does not grow with it. */
export async function doors({ small }: Bench): Promise<Row[]> {
  const bytes = small ? 100 * million : 1000 * million
  const rows: Row[] = []
  for (const door of ['action', 'app'] as const) {
    const { peakMb } = await deployLarge(bytes, door)
    const what = `resident memory, deploy of ${bytes / million} MB through the ${door}`
    rows.push(limit({ group: 'doors', what, most: budgetMb, unit: 'MB' }, peakMb))
  }
  return rows
}
