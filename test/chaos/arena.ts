import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AppProcess } from '../support/app-process.ts'
import { agentTree, brokenPromises, createRig, type Door, repo, type Rig } from '../support/rig.ts'
import { git, gitRemote } from '../support/repository.ts'

/** Missed webhooks are looked for all the time: 1.2 s. */
const reconcileMinutes = '0.02'
/** Backoff of a minute may be under way after many faults, on a machine with much else to do; what takes longer is stuck. */
const patienceMs = 600_000
/** Once all has ended, the last switch is over within moments. */
const servingMs = 30_000
/** Each look costs a few queries; several arenas share the machine. */
const lookEveryMs = 40
const crashPoint = join(import.meta.dirname, 'crash-point.ts')

export type Arena = Awaited<ReturnType<typeof openArena>>

/** The app under fire: it is killed and started again, and after each round everything must be as if nothing had happened. */
export async function openArena(given: { databaseUrl?: string; dataDir?: string } = {}) {
  const rig: Rig = await createRig(given)
  const door: Door = await rig.openDoor()
  let app: AppProcess | undefined
  let kills = 0
  /** It has a bomb in it that may still go off. */
  let isArmed = false
  /** What the agent must answer in the end. */
  let expected = 'one'

  /** Starts the app; false when it was killed before it listened. */
  async function start(more: Readonly<Record<string, string>> = {}): Promise<boolean> {
    isArmed = 'CRASH_AT' in more
    try {
      app = await door.start({ RECONCILE_MINUTES: reconcileMinutes, LOG_LEVEL: 'debug', ...more })
      rig.hookTo(app.url)
      return true
    } catch (error) {
      app = undefined
      if (Object.keys(more).length === 0) throw error
      kills++
      return false
    }
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!app) return
    const isAlive = app.child.exitCode === null && app.child.signalCode === null
    await app.kill(signal)
    if (signal === 'SIGKILL' && isAlive) kills++
    app = undefined
  }

  const isDead = () => !app || app.child.exitCode !== null || app.child.signalCode !== null

  /** Every webhook has arrived, and nothing is left to do. */
  async function isQuiet(): Promise<boolean> {
    await rig.place.github.settle()
    // Stored and killed before the answer is arrived as well: GitHub does not know, and need not.
    const isAtRest = async () => (await rig.openWork().catch(() => 1)) === 0
    if (!(await isAtRest())) return false
    const stored = await rig.rows('SELECT guid FROM delivery').catch(() => [])
    const arrived = new Set(stored.map((row) => row['guid']))
    const isThere = ({ event, guid }: { event: string; guid: string }) => event === 'pull_request' || arrived.has(guid)
    // The last may have arrived after the first look.
    return rig.place.github.deliveries.every(isThere) && (await isAtRest())
  }

  /** What a person would look at. */
  async function evidence(): Promise<string[]> {
    const open = await rig.rows("SELECT id, state, tries, not_before, commit_sha FROM operation WHERE state <> 'done'")
    const steps = await rig.rows(
      "SELECT name, value FROM step WHERE operation_id IN (SELECT id FROM operation WHERE state <> 'done') ORDER BY at",
    )
    const ended = await rig.rows('SELECT id, code, result FROM operation ORDER BY created_at DESC LIMIT 3')
    const lost = rig.place.github.deliveries.filter(({ status }) => status < 200 || status >= 300)
    return [
      `open: ${JSON.stringify(open)}`,
      `steps: ${JSON.stringify(steps).slice(0, 4000)}`,
      `not arrived: ${JSON.stringify(lost.map(({ event, guid, status }) => ({ event, guid, status })))}`,
      `platform: ${JSON.stringify(rig.nasiko.agent('agent-1').versions)}`,
      `ended: ${JSON.stringify(ended.map(({ id, code, result }) => ({ id, code, result: String(result).slice(0, 600) })))}`,
      `requests: ${JSON.stringify(rig.nasiko.requests.slice(-8).map(({ method, path, status }) => `${method} ${path} ${status}`))}`,
      `log: ${app?.output().split('\n').slice(-12).join('\n') ?? ''}`,
    ]
  }

  return {
    rig,
    door,
    start,
    kill,
    isDead,
    kills: () => kills,
    /** The app with a bomb in it. */
    startCrashingAt: (step: number) => start({ NODE_OPTIONS: `--import=${crashPoint}`, CRASH_AT: String(step) }),
    /** How many calls the app makes from its start, over what people ask of it, to its end in order. */
    async countSteps(deed: () => Promise<unknown>): Promise<number> {
      const file = join(rig.place.folder.path, 'count')
      await start({ NODE_OPTIONS: `--import=${crashPoint}`, COUNT_FILE: file })
      await deed()
      await when('what is counted is done', isQuiet)
      await kill('SIGTERM')
      return Number(readFileSync(file, 'utf8'))
    },
    async push(says: string): Promise<void> {
      await rig.push(says)
      expected = says
    },
    /** Merged, live, and then rolled back by a comment; the hold is lifted afterwards. */
    async mergeChange(says: string): Promise<number> {
      const { work, github } = rig.place
      await gitRemote(work, 'pull', '-q', '--rebase', 'origin', 'main')
      git(work, 'checkout', '-q', '-b', says)
      await rig.place.push({ tree: agentTree(says), message: `fix: ${says}` }, says)
      const number = await github.openPullRequest({ repo, head: says, base: 'main', title: says, author: 'ada' })
      await github.mergePullRequest({ repo, number, by: 'ada' })
      git(work, 'checkout', '-q', 'main')
      await gitRemote(work, 'pull', '-q', '--rebase', 'origin', 'main')
      return number
    },
    comment: (number: number, body: string) => rig.place.github.comment({ repo, number, author: 'ada', body }),
    expectSays(says: string): void {
      expected = says
    },
    expected: () => expected,
    /** Waits until the bomb has gone off, or the app has come through. */
    async whenOver(): Promise<'killed' | 'through'> {
      await when('the app is dead or through', async () => isDead() || (await isQuiet()))
      // Whatever it does after its work, it may die of it too.
      await sleep(20)
      if (!isDead()) return 'through'
      kills++
      app = undefined
      return 'killed'
    },
    isQuiet,
    isReady: async () => (await fetch(`${app?.url}/readyz`)).status,
    /** The verdict of a round: started again in peace, everything ends as it should. */
    async verdict(): Promise<string[]> {
      door.watch(() => 'pass')
      if (isArmed) await kill()
      if (isDead()) {
        app = undefined
        await start()
      }
      try {
        await when('everything has ended', isQuiet)
        await when('the right content is live', async () => (await rig.says()) === expected, servingMs)
      } catch (error) {
        const says = await rig.says().catch(String)
        return [`${String(error)}: it says "${says}", meant is "${expected}"`, ...(await evidence())]
      }
      return await brokenPromises(rig)
    },
    async close(): Promise<void> {
      await kill()
      await rig.close()
    },
  }
}

async function when(what: string, isTrue: () => Promise<boolean>, patience = patienceMs): Promise<void> {
  const end = Date.now() + patience
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`it did not happen: ${what}`)
    await sleep(lookEveryMs)
  }
}

/** The same numbers for the same seed (mulberry32). */
export function randomBy(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
