import { inDependencyOrder } from './agent.ts'
import type { Agent, Config } from './config/config.ts'
import { canonical } from './document/canonical.ts'
import { scopeOf } from './version/scope.ts'

/** What happened in the repository, as far as it decides which agents are touched. */
export type RepositoryEvent =
  | {
      readonly kind: 'push'
      readonly branch: string
      readonly defaultBranch: string
      /** Undefined when it can't be known (first push, cut payload): then every agent may be touched. */
      readonly changedPaths: readonly string[] | undefined
      /** Agents that the config file describes otherwise since this push. */
      readonly reconfigured?: readonly string[]
    }
  | { readonly kind: 'release'; readonly tag: string }

/** The agents that an event deploys by their own `deploy` settings, path and watch-paths. */
export function selectAffected(config: Config, event: RepositoryEvent): readonly Agent[] {
  return inDependencyOrder(config.agents.filter((agent) => isTriggered(agent, event) && isTouched(agent, event)))
}

/** Does this event deploy the agent at all, whatever was changed? */
export function isTriggered(agent: Agent, event: RepositoryEvent): boolean {
  if (agent.deploy.on !== event.kind) return false
  if (event.kind === 'push') return (agent.deploy.branch ?? event.defaultBranch) === event.branch
  return matchesTag(agent.deploy.tag ?? `${agent.name}-v*`, event.tag)
}

/**
 * Names of the agents that the config file describes otherwise than before; all of them where it could not be read before: what
 * was pushed meanwhile has not been deployed then.
 */
export function reconfigured({ agents }: Config, before: Config | undefined): readonly string[] {
  const text = ({ platform, ...agent }: Agent) => canonical({ ...agent, platform: platform.id })
  const known = new Set(before?.agents.map(text))
  return agents.filter((agent) => !known.has(text(agent))).map(({ name }) => name)
}

function isTouched(agent: Agent, event: RepositoryEvent): boolean {
  if (event.kind === 'release' || event.changedPaths === undefined) return true
  if (event.reconfigured?.includes(agent.name)) return true
  const scope = scopeOf({ path: agent.path, watchPaths: agent.watchPaths })
  return event.changedPaths.some((path) => scope.touches(path))
}

/** `*` stands for any text, everything else for itself: tag patterns are not regular expressions. */
function matchesTag(pattern: string, tag: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return tag === pattern
  const last = rest.pop() ?? ''
  if (!tag.startsWith(first) || !tag.endsWith(last) || tag.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = tag.indexOf(part, at)
    if (found < 0 || found + part.length > tag.length - last.length) return false
    at = found + part.length
  }
  return true
}
