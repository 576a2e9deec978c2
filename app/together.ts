/** One asking for all who want the same thing at the same time. */
export type Together<T> = (key: string, ask: () => Promise<T>) => Promise<T>

/**
 * For what never changes: who asks for what is being asked for already gets that answer. A failure is that of whoever asked;
 * the others ask once more, one for all of them again.
 */
export function createSingleFlight<T>(): Together<T> {
  const running = new Map<string, Promise<T>>()

  function start(key: string, ask: () => Promise<T>): Promise<T> {
    const asking = ask().finally(() => running.delete(key))
    running.set(key, asking)
    return asking
  }

  return async (key, ask) => {
    const other = running.get(key)
    if (!other) return await start(key, ask)
    const answer = await other.then(
      (value) => ({ value }),
      () => undefined,
    )
    return answer ? answer.value : await (running.get(key) ?? start(key, ask))
  }
}

/**
 * For what may change at any moment: an answer may only be shared with those who wanted it before it was asked for. So who
 * comes while one is on its way waits for the next, together with all who come until then. Whom another's failure
 * would hit asks by itself.
 */
export function createGathering<T>(): Together<T> {
  const lines = new Map<string, { readonly running: Promise<T>; next: Promise<T> | undefined }>()

  function start(key: string, ask: () => Promise<T>): Promise<T> {
    const running = ask()
    const line = { running, next: undefined }
    lines.set(key, line)
    const end = () => {
      if (lines.get(key) === line && !line.next) lines.delete(key)
    }
    running.then(end, end)
    return running
  }

  return async (key, ask) => {
    const line = lines.get(key)
    if (!line) return await start(key, ask)
    if (line.next) return await line.next.catch(ask)
    const begin = () => start(key, ask)
    line.next = line.running.then(begin, begin)
    return await line.next
  }
}
