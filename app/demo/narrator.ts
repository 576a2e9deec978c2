import { setTimeout as sleep } from 'node:timers/promises'

/** Tells the story on the terminal, with the time since its beginning, and keeps to what was really seen. */
export interface Narrator {
  chapter(title: string): void
  say(text: string): void
  show(text: string): void
  /** Waits until `look` gives something; throws with `what` when it does not in time. */
  until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T>
}

/** Builds take a second or two here; a step that takes longer than this has not happened. */
const usualPatienceMs = 30_000
const lookEveryMs = 60

export function createNarrator(
  write: (line: string) => void,
  options: { colour: boolean; patienceMs?: number },
): Narrator {
  const patienceMs = options.patienceMs ?? usualPatienceMs
  const started = performance.now()
  const paint = (code: number, text: string) => (options.colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1).padStart(5)
  return {
    chapter: (title) => write(`\n${paint(1, title)}`),
    say: (text) => write(`${paint(2, `${seconds()} s`)}  ${text}`),
    show(text) {
      for (const line of text.split('\n')) write(`         ${paint(2, '│')} ${line}`)
    },
    async until(what, look) {
      const deadline = performance.now() + patienceMs
      for (;;) {
        const seen = await look()
        if (seen !== undefined) return seen
        if (performance.now() >= deadline) throw new Error(`This did not happen within ${patienceMs / 1000} s: ${what}`)
        await sleep(lookEveryMs)
      }
    },
  }
}
