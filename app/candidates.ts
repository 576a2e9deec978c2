import type { Agent, Config } from '../src/config/config.ts'
import { fail } from '../src/errors.ts'
import type { CommandName } from './command.ts'

/** Commands that change nothing, or only what waits: they may mean every agent that a pull request touches. */
const harmless: readonly CommandName[] = ['plan', 'cancel']

/**
 * The agents that a command means: those named, `all`, or the only one that the pull request touches. Throws
 * `agent-unknown` and, where several could be meant and none is named, `agent-ambiguous`. Pure.
 */
export function chooseAgents(
  asked: { name: CommandName; words: readonly string[] },
  from: { config: Config; touched: readonly Agent[] },
): readonly Agent[] {
  const { config, touched } = from
  const candidates = touched.length > 0 ? touched : config.agents
  if (asked.words.some((word) => word.toLowerCase() === 'all')) return candidates
  if (asked.words.length > 0) return asked.words.map((word) => named(word, config))
  const isClear =
    candidates.length === 1 || asked.name === 'status' || (touched.length > 0 && harmless.includes(asked.name))
  if (isClear) return asked.name === 'status' ? config.agents : candidates
  throw fail('agent-ambiguous', {
    command: `/${asked.name}`,
    candidates: candidates.map(({ name }) => name),
    example: `/${asked.name} ${candidates[0]?.name ?? ''}`,
  })
}

function named(word: string, { agents, path }: Config): Agent {
  const exact = agents.find(({ name }) => name === word)
  const found = exact ?? agents.find(({ name }) => name.toLowerCase() === word.toLowerCase())
  if (found) return found
  throw fail('agent-unknown', { agent: word, path, known: agents.map(({ name }) => name) })
}
