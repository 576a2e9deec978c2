import type { Clock } from '../src/io.ts'
import { createMemory } from './remembered.ts'
import { createSingleFlight, type Together } from './together.ts'

/** While the agents of a push begin one after the other; who begins later looks again. */
const forMs = 60_000
/** Names of commits, and of what they were read for: those of some thousand pushes. */
const mostCharacters = 1_000_000

/** What a branch is at, looked at once for all whose `key` says that the same look will do. */
export function createLooks(io: { clock: Pick<Clock, 'now'> }): Together<string | undefined> {
  const memory = createMemory<{ readonly head: string | undefined }>({ clock: io.clock, mostCharacters, forMs })
  const once = createSingleFlight<string | undefined>()
  return async (key, look) => {
    const known = memory.get(key)
    if (known) return known.head
    return await once(key, async () => {
      const head = await look()
      memory.set(key, { head }, key.length + 40)
      return head
    })
  }
}
