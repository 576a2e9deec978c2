import type { Agent } from './config/config.ts'
import type { Content } from './content.ts'
import { fail } from './errors.ts'
import type { Connection } from './platforms/platform.ts'

/** Before anything is sent: has the connection every value that the agent does not start without? Throws `values-missing`. */
export async function checkValues(
  agent: Agent,
  given: { content: Content | undefined; connection: Connection },
): Promise<void> {
  const { bundle, env } = agent.platform
  const has = given.connection.agentEnv ?? {}
  const needed = (await bundle.needs?.(given.content?.files ?? {}, agent.settings)) ?? []
  const names = needed.filter((name) => has[name] === undefined)
  if (names.length > 0) throw fail('values-missing', { agent: agent.name, names, prefix: env.agentPrefix ?? '' })
}
