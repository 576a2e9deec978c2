import type { Clock, GitHub } from '../src/io.ts'
import { createMemory } from './remembered.ts'
import { createGathering, createSingleFlight } from './together.ts'

/** A push to many agents is decided and deployed within minutes of its webhook. */
const forMs = 5 * 60_000
/** A page of a hundred commits is half a million characters, most of which are the same addresses again. */
const mostCharacters = 4_000_000

type Reply = Awaited<ReturnType<GitHub['request']>>
/** As text: it takes less memory, and each who asks gets objects of its own. */
interface Kept {
  readonly text: string
  readonly link: string | number | undefined
}

const fullSha = /^[0-9a-f]{40}$/
const fullRange = /^[0-9a-f]{40}\.\.\.[0-9a-f]{40}$/

/** Routes whose answer depends on commits alone, and the parameter that names them. */
const lasting: Readonly<Record<string, { readonly parameter: string; readonly form: RegExp }>> = {
  'GET /repos/{owner}/{repo}/compare/{basehead}': { parameter: 'basehead', form: fullRange },
  'GET /repos/{owner}/{repo}/commits/{ref}': { parameter: 'ref', form: fullSha },
  'GET /repos/{owner}/{repo}/contents/{path}': { parameter: 'ref', form: fullSha },
}

/** What all agents of a push ask at the same moment, and may be another thing the next. */
const passing: readonly string[] = [
  'GET /repos/{owner}/{repo}/git/ref/{ref}',
  'GET /repos/{owner}/{repo}/contents/{path}',
]

/** `place` names the repository and the installation that it was read for: what one token sees is for nobody else. */
export type Answers = (github: GitHub, place: string) => GitHub

/**
 * What the operations of this process ask GitHub in common is asked once: comparisons and files of commits, which never
 * change, are remembered for some minutes; where a branch is now is asked together.
 */
export function createAnswers(io: { clock: Pick<Clock, 'now'> }): Answers {
  const memory = createMemory<Kept>({ clock: io.clock, mostCharacters, forMs })
  const once = createSingleFlight<Kept>()
  const gathered = createGathering<Kept>()

  return (github, place) => ({
    ...github,
    async request(route, parameters = {}) {
      const key = `${place} ${route} ${JSON.stringify(parameters)}`
      const ask = async () => keptOf(await github.request(route, parameters))
      if (isLasting(route, parameters)) {
        const known = memory.get(key)
        return replyOf(known ?? (await once(key, async () => remember(key, await ask()))))
      }
      return passing.includes(route) ? replyOf(await gathered(key, ask)) : await github.request(route, parameters)
    },
  })

  function remember(key: string, kept: Kept): Kept {
    memory.set(key, kept, kept.text.length)
    return kept
  }
}

function isLasting(route: string, parameters: Record<string, unknown>): boolean {
  const { parameter, form } = lasting[route] ?? {}
  return parameter !== undefined && form !== undefined && form.test(String(parameters[parameter]))
}

/** Of a comparison, what each file's change looks like is the most by far, and nobody reads it. */
function keptOf({ data, headers }: Reply): Kept {
  return {
    text: JSON.stringify(data, (key, value: unknown) => (key === 'patch' ? undefined : value)),
    link: headers['link'],
  }
}

function replyOf({ text, link }: Kept): Reply {
  return { status: 200, data: JSON.parse(text) as unknown, headers: { link } }
}
