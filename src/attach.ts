import type { Agent } from './config/config.ts'
import type { Io } from './io.ts'
import type { Connection, PlatformClient } from './platforms/platform.ts'

/** The client for one agent: its platform, its connection, its settings. */
export async function attach(agent: Agent, connect: (agent: Agent) => Connection, io: Io): Promise<PlatformClient> {
  return await agent.platform.connect({ agentId: agent.id, connection: connect(agent), settings: agent.settings }, io)
}
