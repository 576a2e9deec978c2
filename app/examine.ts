import { explain } from '../src/errors.ts'
import type { Clock } from '../src/io.ts'
import type { Platform } from '../src/platforms/platform.ts'
import type { Repository } from './engine/agents.ts'
import { openDatabase } from './engine/open.ts'
import { createStore } from './engine/store.ts'
import type { Settings } from './env.ts'
import type { Finding } from './finding.ts'
import { examineConnection } from './examine-connection.ts'
import { examineGitHub, readGrants } from './examine-github.ts'
import { examineUse } from './examine-use.ts'
import { startProbot } from './probot.ts'

/** One thing that was looked at; without a problem it is right. */
/** GitHub refuses a signed request whose time is further off (GitHub Docs: "Generating a JSON Web Token"). */
const mostSkewMs = 60_000
const timeoutMs = 10_000

interface Io {
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly platforms: readonly Platform[]
}

/** Looks at everything that the settings name: GitHub, the platforms, the database. Never throws for what it finds. */
export async function examine(settings: Settings, io: Io): Promise<readonly Finding[]> {
  const gitHub = await startProbot(settings)
  const [clock, known, { finding, repositories }] = await Promise.all([
    examineClock(settings, io),
    examineGitHub(settings, gitHub),
    examineDatabase(settings, io),
  ])
  const grants = await readGrants(gitHub).catch(() => new Map<number, never>())
  // Without a key that works there is nothing to ask for them.
  const reachable = repositories.filter(({ installation }) => grants.has(installation))
  const { uses, findings } = await examineUse(settings, { ...io, gitHub, repositories: reachable, grants })
  const connections = settings.connections.map((connection) => examineConnection(connection, { ...io, uses }))
  return [...clock, ...known, finding, ...(await Promise.all(connections)), ...findings]
}

async function examineClock({ apiUrl }: Settings, { clock, fetch }: Io): Promise<Finding[]> {
  try {
    const response = await fetch(`${apiUrl}/rate_limit`, { signal: AbortSignal.timeout(timeoutMs) })
    const skew = Date.parse(response.headers.get('date') ?? '') - clock.now()
    if (Number.isNaN(skew) || Math.abs(skew) < mostSkewMs) return [{ name: 'clock' }]
    const seconds = Math.round(skew / 1000)
    return [
      { name: 'clock', problem: `it is ${seconds} s away from GitHub's`, remedy: 'Let NTP set this machine’s clock.' },
    ]
  } catch {
    return [
      {
        name: 'GitHub',
        problem: `"${apiUrl}" does not answer`,
        remedy: 'Check GITHUB_API_URL, the network and the proxy.',
      },
    ]
  }
}

async function examineDatabase(
  settings: Settings,
  { clock }: Io,
): Promise<{ finding: Finding; repositories: readonly Repository[] }> {
  try {
    const database = await openDatabase(settings)
    try {
      const store = createStore(database, clock)
      await store.ping()
      const note = settings.databaseUrl === undefined ? `in ${settings.dataDir}` : 'PostgreSQL'
      return { finding: { name: 'database', note }, repositories: await store.heads.repositories() }
    } finally {
      await database.close()
    }
  } catch (error) {
    const { message, help } = explain(error)
    return { finding: { name: 'database', problem: message, remedy: help }, repositories: [] }
  }
}
