import type { Agent, Config } from './config/config.ts'
import { fail } from './errors.ts'

/** The named agents (all when none is named), each after those it depends on. Throws `agent-unknown`. */
export function selectAgents(config: Config, names: readonly string[] | undefined): readonly Agent[] {
  const known = config.agents.map(({ name }) => name)
  for (const name of names ?? []) {
    if (!known.includes(name)) throw fail('agent-unknown', { agent: name, path: config.path, known })
  }
  const wanted = config.agents.filter(({ name }) => names === undefined || names.includes(name))
  return inDependencyOrder(wanted)
}

/** The config has no circles; agents that were not selected do not hold anyone up. */
export function inDependencyOrder(agents: readonly Agent[]): readonly Agent[] {
  const ordered: Agent[] = []
  const visit = (agent: Agent) => {
    if (ordered.includes(agent)) return
    for (const needed of agents.filter(({ name }) => agent.dependsOn.includes(name))) visit(needed)
    ordered.push(agent)
  }
  for (const agent of agents) visit(agent)
  return ordered
}
