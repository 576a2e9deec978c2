/**
 * As many webhooks within so short a time are a rush: somebody waits for each answer, and nobody for what is done about it. Well
 * above what a busy organisation sends, and well below what one process takes in.
 */
const manyAtOnce = 16
const atOnceMs = 50
/** How often held work is looked at, and how much of it begins then: some even in a rush, however long it lasts. */
const lookMs = 10
const inRush = 1
const afterRush = 32

/**
 * Keeps work from getting in the way of answers: what a webhook asks for begins at once, but in a rush of webhooks it is held
 * back until they are answered. It is on the disk meanwhile; a restart finds it.
 */
export function createRush<Work>(given: { now: () => number; begin: (work: Work) => void }) {
  const { now, begin } = given
  const held: Work[] = []
  /** When each of the last few came. */
  const times: number[] = Array.from({ length: manyAtOnce }, () => -Infinity)
  let next = 0
  let timer: NodeJS.Timeout | undefined

  const isRush = () => now() - (times[next] ?? -Infinity) < atOnceMs

  function look(): void {
    for (const work of held.splice(0, isRush() ? inRush : afterRush)) begin(work)
    timer = held.length > 0 ? setTimeout(look, lookMs).unref() : undefined
  }

  return {
    /** A webhook has come. */
    count(): void {
      times[next] = now()
      next = (next + 1) % manyAtOnce
    },
    /** At once, or when the rush is over; in the order given. */
    offer(work: Work): void {
      if (held.length === 0 && !isRush()) return begin(work)
      held.push(work)
      timer ??= setTimeout(look, lookMs).unref()
    },
  }
}
