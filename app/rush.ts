/**
 * As many webhooks within so short a time are a rush: somebody waits for each answer, and nobody for what is done about it. Well
 * above what a busy organisation sends, and well below what one process takes in. In a storm each thing done delays answers.
 */
const manyAtOnce = 16
const atOnceMs = 50
const stormMs = 10
/** How often held work is looked at, and how much of it begins then: after a rush, about as much as one process can do meanwhile. */
const lookMs = 10
const inRush = 1
const afterRush = 4
/** In a storm, and while answers are waited for, one piece of work begins this often, however long that lasts. */
const restMs = 500

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
  let unanswered = 0
  let begun = -Infinity
  let timer: NodeJS.Timeout | undefined

  /** Have many come within so short a time? */
  const isWithin = (ms: number) => now() - (times[next] ?? -Infinity) < ms

  function mayBegin(): number {
    // None comes either while all senders wait for a disk that is busy: that is no end of a rush.
    if (unanswered > 0 || isWithin(stormMs)) return now() - begun < restMs ? 0 : 1
    return isWithin(atOnceMs) ? inRush : afterRush
  }

  function look(): void {
    const some = held.splice(0, mayBegin())
    if (some.length > 0) begun = now()
    timer = held.length > 0 ? setTimeout(look, lookMs).unref() : undefined
    for (const work of some) begin(work)
  }

  return {
    /** A webhook has come, and waits for its answer. */
    came(): void {
      times[next] = now()
      next = (next + 1) % manyAtOnce
      unanswered++
    },
    answered(): void {
      unanswered--
    },
    /** At once, or when the rush is over; in the order given. */
    offer(work: Work): void {
      if (held.length === 0 && !isWithin(atOnceMs)) return begin(work)
      held.push(work)
      timer ??= setTimeout(look, lookMs).unref()
    },
  }
}
