import { DeployError, explain } from '../src/errors.ts'
import type { Clock } from '../src/io.ts'
import type { Platform, Target } from '../src/platforms/platform.ts'
import type { NamedConnection } from './connections.ts'
import type { Use } from './examine-use.ts'
import type { Finding } from './finding.ts'

const timeoutMs = 10_000
/** Of an agent that nobody has: the platform says so, but only to whoever it knows. */
const nobody = 'agent-deploy-doctor'
/** A document platform wants a file named; none is read. */
const nothing = { file: 'agent.yml' }

/** Does the platform accept the credential? Asked with a read: of an agent that uses the connection, else of none. */
export async function examineConnection(
  connection: NamedConnection,
  io: { platforms: readonly Platform[]; uses: readonly Use[]; clock: Clock; fetch: typeof fetch },
): Promise<Finding> {
  const name = `connection ${connection.name}`
  if (connection.repositories.length === 0)
    return { name, problem: 'no repository may use it', remedy: 'Add `repositories` to it in the connections file.' }
  const platform = io.platforms.find(({ id }) => id === connection.platform)
  const use = io.uses.find((one) => one.connection === connection.name)
  const settings = use
    ? { success: true as const, data: use.agent.settings }
    : platform?.settings.safeParse(platform.document ? nothing : {})
  if (!platform || !settings?.success) return { name, note: 'no agent uses it yet, so it could not be tried' }
  const target: Target = { agentId: use?.agent.id ?? nobody, connection, settings: settings.data }
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const client = await platform.connect(target, { fetch: io.fetch, clock: io.clock, signal })
    await client.find()
    return {
      name,
      note: use ? `accepted; "${use.agent.name}" of ${use.repository} is there` : 'the credential is accepted',
    }
  } catch (error) {
    return { name, ...judge(error, { connection, use }) }
  }
}

function judge(error: unknown, about: { connection: NamedConnection; use: Use | undefined }): Omit<Finding, 'name'> {
  const { connection, use } = about
  if (!(error instanceof DeployError))
    return {
      problem: `"${connection.baseUrl}" does not answer`,
      remedy: 'Check `base-url` in the connections file, the network and the proxy.',
    }
  const { code, message, help } = explain(error)
  // That it knows no such agent is what it says to whoever it knows.
  if (code === 'agent-not-found' && !use) return { note: 'the credential is accepted' }
  if (code === 'platform-rejected' && !use) return { note: `${connection.baseUrl} answers` }
  return { problem: message, remedy: help }
}
