import type { Io } from './io.ts'

/** The same io with a step log of this agent's own: several agents of one run do the same steps. */
export function withOwnJournal(io: Io, agent: string): Io {
  const { journal } = io
  const own = (step: string) => `${agent}/${step}`
  return {
    ...io,
    journal: {
      get: (step) => journal.get(own(step)),
      put: (step, value) => journal.put(own(step), value),
      checkpoint: (step) => journal.checkpoint(step),
    },
  }
}
