import type { Clock, HistoryRange } from '../src/io.ts'
import { partOf } from '../src/version/history-shared.ts'
import type { History } from '../src/version/version.ts'
import { createMemory } from './remembered.ts'

/** The agents of a push are deployed within minutes; one that waits for others for longer has its history read again. */
const forMs = 5 * 60_000
/** Messages and paths of some ten thousand commits. */
const mostCharacters = 4_000_000
/** Of one commit beside its message and paths: its own name, its parents' and its author's. */
const commitCharacters = 150

/** `place` names the repository and the installation that it is read for. */
export type Histories = (
  place: string,
  range: HistoryRange,
  read: (range: HistoryRange) => Promise<History>,
) => Promise<History>

/**
 * Reads history once for the agents of a push, each of which is an operation of its own: while one reads, the others wait,
 * and take their part of it where it holds all of theirs. Whom another's failure would hit reads by itself.
 */
export function createHistories(io: { clock: Pick<Clock, 'now'> }): Histories {
  const memory = createMemory<readonly History[]>({ clock: io.clock, mostCharacters, forMs })
  const running = new Map<string, Promise<History>>()

  async function start(key: string, read: () => Promise<History>): Promise<History> {
    const reading = read().finally(() => {
      if (running.get(key) === reading) running.delete(key)
    })
    running.set(key, reading)
    const history = await reading
    const known = [...(memory.get(key) ?? []), history]
    while (known.length > 1 && sizeOf(known) > mostCharacters) known.shift()
    memory.set(key, known, sizeOf(known))
    return history
  }

  return async (place, range, read) => {
    if (!/^[0-9a-f]{40}$/.test(range.to)) return await read(range)
    const key = `${place} ${range.to} ${range.withFiles}`
    const known = firstPart(memory.get(key) ?? [], range)
    if (known) return known
    for (let other = running.get(key); other; other = running.get(key)) {
      const histories = await other.then(
        (history) => [history],
        () => undefined,
      )
      if (!histories) break
      const part = firstPart(histories, range)
      if (part) return part
    }
    return await start(key, () => read(range))
  }
}

function firstPart(histories: readonly History[], { from }: HistoryRange): History | undefined {
  for (const history of histories) {
    const part = history.from === from ? history : partOf(history, from)
    if (part) return part
  }
  return undefined
}

function sizeOf(histories: readonly History[]): number {
  const paths = (files: readonly string[] = []) => files.reduce((sum, path) => sum + path.length, 0)
  return histories
    .flatMap(({ commits }) => commits)
    .reduce((sum, { message, files }) => sum + commitCharacters + message.length + paths(files), 0)
}
