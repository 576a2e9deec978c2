import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { createPlace, until, webhookSecret } from './app.ts'
import { type AppProcess, startAppProcess } from './app-process.ts'
import { openGate, type Passing } from './gate.ts'
import { agentFiles } from './nasiko.ts'
import { query } from './postgres.ts'
import { gitRemote, temporaryFolder, writeTree } from './repository.ts'

const config = `version: 1
defaults: { platform: nasiko, connection: main }
agents:
  bot: { id: agent-1, path: agents/bot }
`
export const repo = 'acme/agents'

type Watch = (passing: Passing) => 'pass' | 'cut'

export interface Door {
  readonly env: Readonly<Record<string, string>>
  /** Sees, and may cut, whatever passes from now on. */
  watch(next: Watch): void
  /** `under`: a program that starts it and looks on. */
  start(more?: Readonly<Record<string, string>>, under?: readonly string[]): Promise<AppProcess>
  close(): Promise<void>
}

export type Rig = Awaited<ReturnType<typeof createRig>>

/** The sandbox (GitHub and Nasiko, behind gates) and everything that the app as a process needs to work on it. */
export async function createRig(given: { databaseUrl?: string; dataDir?: string } = {}) {
  const seed = temporaryFolder()
  writeTree(seed.path, agentFiles('seed'))
  const place = await createPlace({ '.github/agents.yml': config, ...agentTree('one') })
  const nasiko = await startNasiko({ root: join(place.folder.path, 'nasiko'), buildMs: 30 })
  const { token } = nasiko.addAccount('acme')
  await nasiko.addAgent({ owner: 'acme', name: 'bot', id: 'agent-1', seed: seed.path })
  const doors: Door[] = []
  const dataDir = given.dataDir ?? place.dataDir
  const env: Record<string, string> = {
    APP_ID: String(place.app.id),
    PRIVATE_KEY: place.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    TOKEN: token,
    ...(given.databaseUrl ? { DATABASE_URL: given.databaseUrl } : {}),
  }

  /** A way of its own to GitHub and Nasiko, for one instance of the app. */
  async function openDoor(): Promise<Door> {
    let watch: Watch = () => 'pass'
    const github = await openGate(place.github.url, (passing) => watch(passing))
    const platform = await openGate(nasiko.url, (passing) => watch(passing))
    const connections = join(place.folder.path, `connections-${doors.length}.yml`)
    const connection = `platform: nasiko, base-url: "${platform.url}", credentials: { NASIKO_TOKEN: TOKEN }`
    writeFileSync(connections, `main: { ${connection}, repositories: [acme/*] }\n`)
    const door: Door = {
      env: { ...env, GITHUB_API_URL: `${github.url}/api/v3`, CONNECTIONS: connections },
      watch(next) {
        watch = next
      },
      start: (more = {}, under = []) => startAppProcess({ ...door.env, ...more }, under),
      close: async () => void (await Promise.all([github.close(), platform.close()])),
    }
    doors.push(door)
    return door
  }

  /** What the app has written down. */
  async function rows(sql: string): Promise<Record<string, unknown>[]> {
    if (given.databaseUrl) return await query(given.databaseUrl, sql)
    const database = new DatabaseSync(join(dataDir, 'agent-deploy.db'), { readOnly: true, timeout: 5000 })
    try {
      return database.prepare(sql).all()
    } finally {
      database.close()
    }
  }

  return {
    place,
    nasiko,
    /** What every instance is started with. */
    env: env as Readonly<Record<string, string>>,
    rows,
    openDoor,
    repository: () => place.github.repository(repo),
    /** Where GitHub sends its webhooks from now on. */
    hookTo: (url: string) => place.github.setWebhookUrl(place.app.id, `${url}/api/github/webhooks`),
    push: (says: string, message = `fix: ${says}`) => place.push({ tree: agentTree(says), message }),
    pushFirst: () => gitRemote(place.work, 'push', '-q', 'origin', 'main'),
    /** What the agent answers. */
    says: async () => await (await fetch(nasiko.agentUrl('agent-1'))).text(),
    async openWork(): Promise<number> {
      const [row] = await rows(openWork)
      return Number(row?.['n'])
    },
    async close(): Promise<void> {
      await Promise.all(doors.map((door) => door.close()))
      await nasiko.close()
      await place.close()
      seed.remove()
    },
  }
}

const openWork = `SELECT (SELECT count(*) FROM delivery WHERE state = 'stored') + (SELECT count(*) FROM operation WHERE state <> 'done')
  + (SELECT count(*) FROM comment WHERE state <> 'done') AS n`

/** Until the database says that nothing is left to do. */
export async function rest(rig: Rig, patienceMs = 30_000): Promise<void> {
  await until(
    'the app is at rest',
    async () => {
      await rig.place.github.settle()
      return (await rig.openWork().catch(() => 1)) === 0
    },
    patienceMs,
  )
}

export function agentTree(says: string): Record<string, string> {
  return Object.fromEntries(Object.entries(agentFiles(says)).map(([path, text]) => [`agents/bot/${path}`, text]))
}

const terminal: readonly string[] = ['success', 'failure', 'error', 'inactive']

/** What must hold whatever has happened; each broken promise as a sentence. */
export async function brokenPromises(rig: Rig): Promise<string[]> {
  const broken: string[] = []
  const stored = new Map((await rig.rows('SELECT guid, state FROM delivery')).map((row) => [row['guid'], row['state']]))
  for (const { guid, event, status } of rig.place.github.deliveries) {
    if (status >= 200 && status < 300 && stored.get(guid) !== 'done')
      broken.push(`${event} ${guid} was acknowledged and is ${String(stored.get(guid) ?? 'lost')}`)
  }
  const operations = await rig.rows('SELECT id, agent_key, delivery, state, decision, code FROM operation')
  const triggers = new Set<string>()
  for (const { id, agent_key: agent, delivery, state, decision, code } of operations) {
    if (state !== 'done' || decision === null) broken.push(`operation ${String(id)} is ${String(state)}`)
    if (code === 'internal') broken.push(`operation ${String(id)} ended by a mistake of ours`)
    const trigger = `${String(delivery)} ${String(agent)}`
    if (triggers.has(trigger)) broken.push(`${trigger} has two decisions`)
    triggers.add(trigger)
  }
  for (const { id, statuses } of rig.repository().deployments) {
    const ends = statuses.filter(
      ({ state, description }) => terminal.includes(state) && !/^(Hold|On hold)/.test(description),
    )
    if (ends.length !== 1) broken.push(`record ${id} has ended ${ends.length} times`)
  }
  const checks = new Map<string, number>()
  for (const { externalId } of rig.repository().checkRuns) checks.set(externalId, (checks.get(externalId) ?? 0) + 1)
  for (const [id, count] of checks) if (count > 1) broken.push(`operation ${id} has ${count} check runs`)
  const agent = rig.nasiko.agent('agent-1')
  const digests = agent.digests.filter((digest) => digest !== undefined)
  if (new Set(digests).size < digests.length)
    broken.push(`the same content was deployed twice: ${digests.map((digest) => digest.slice(7, 15)).join(', ')}`)
  if (rig.place.github.violations.length > 0) broken.push(JSON.stringify(rig.place.github.violations))
  if (rig.nasiko.violations.length > 0) broken.push(JSON.stringify(rig.nasiko.violations))
  return broken
}
