import { setTimeout as sleep } from 'node:timers/promises'
import type { Arena } from './arena.ts'

/** The app starts within half a second and deploys within another; kills fall into both. */
const longestLifeMs = 1200
/** Calls to the database, GitHub and the platforms that a start makes, and a few more. */
const startSteps = 60

/** What was played, and what was broken afterwards; nothing, if all is well. */
export interface Round {
  readonly deed: string
  readonly trouble: string
  readonly broken: readonly string[]
}

/** Plays rounds in one arena: what people do, what goes wrong, and kills, all at once. */
export function createPlayer(arena: Arena) {
  let random: () => number = Math.random
  let number = 0
  const below = (limit: number) => Math.floor(random() * limit)

  /** Each returns what brings the arena back to where anything can be done. */
  const deeds: Record<string, () => Promise<() => Promise<string[]>>> = {
    async push() {
      await arena.push(`push ${++number}`)
      return nothing
    },
    async burst() {
      for (let n = 0; n < 3; n++) await arena.push(`burst ${++number}`)
      return nothing
    },
    async reordered() {
      const { github } = arena.rig.place
      const before = github.deliveries.length
      github.pauseWebhooks()
      await arena.push(`early ${++number}`)
      await arena.push(`late ${++number}`)
      for (const { guid } of github.deliveries.slice(before).reverse()) await github.redeliver(guid)
      github.resumeWebhooks()
      return nothing
    },
    async redelivered() {
      const { github } = arena.rig.place
      await arena.push(`again ${++number}`)
      for (let n = 0; n < 3; n++)
        await github.redeliver(github.deliveries[below(github.deliveries.length)]?.guid ?? '').catch(() => 0)
      return nothing
    },
    async rollback() {
      const { pull, before } = merged
      arena.comment(pull, '/rollback')
      arena.expectSays(before)
      return async () => {
        arena.comment(pull, '/resume')
        return await arena.verdict()
      }
    },
  }
  const nothing = async () => []
  /** What was live before the pull request that a rollback undoes. */
  let merged = { pull: 0, before: '' }

  async function prepare(deed: string): Promise<string[]> {
    if (deed !== 'rollback') return []
    const before = arena.expected()
    const says = `bad-${++number}`
    merged = { pull: await arena.mergeChange(says), before }
    arena.expectSays(says)
    return await arena.verdict()
  }

  /** Besides the kills; none of them is a reason for another end. */
  const troubles: Record<string, () => void> = {
    nothing: () => undefined,
    'cut connections': () => arena.door.watch(() => (random() < 0.06 ? 'cut' : 'pass')),
    'GitHub is ill': () => {
      for (let n = 0; n < 4; n++) ill({ kind: 'status', status: 502, path: /repos/, after: below(8) })
    },
    'GitHub limits': () =>
      ill({
        ...{ kind: 'status', status: 403, path: /repos/, after: below(12), times: 2 },
        headers: { 'retry-after': '1' },
      }),
    'GitHub says 429': () =>
      ill({ kind: 'status', status: 429, path: /repos/, after: below(12), headers: { 'retry-after': '1' } }),
    'a token of GitHub ends': () => ill({ kind: 'status', status: 401, path: /repos/, after: below(12) }),
    'GitHub does it and loses the reply': () =>
      ill({ kind: 'reset-after', method: 'POST', path: /repos/, after: below(3) }),
    'GitHub is slow': () => ill({ kind: 'slow', ms: 700, path: /repos/, after: below(6), times: 3 }),
    'the platform loses replies': () => {
      sick({ kind: 'reset-after', after: below(6) })
      sick({ kind: 'truncated', method: 'GET', after: below(6) })
    },
    'an upload is cut': () => sick({ kind: 'reset-during', method: 'PUT' }),
    'the platform is busy': () =>
      sick({ kind: 'status', status: 429, headers: { 'retry-after': '1' }, after: below(4), times: 2 }),
    'the platform is down': () => sick({ kind: 'status', status: 503, after: below(6), times: 3 }),
    'the platform is slow': () => sick({ kind: 'slow', ms: 700, after: below(4), times: 3 }),
    'a gateway answers': () => sick({ kind: 'html', method: 'GET', after: below(5), times: 2 }),
  }
  const ill: Arena['rig']['place']['github']['fault'] = (fault) => arena.rig.place.github.fault(fault)
  const sick: Arena['rig']['nasiko']['fault'] = (fault) => arena.rig.nasiko.fault(fault)

  /** Up to three times, at any moment: at work, while it starts, while it stops. */
  async function killSome(): Promise<void> {
    for (let left = 1 + below(3); left > 0; left--) {
      await sleep(below(longestLifeMs))
      const isGentle = random() < 0.2
      if (isGentle) {
        const stopping = arena.kill('SIGTERM')
        await sleep(below(60))
        await arena.kill()
        await stopping
      } else await arena.kill()
      // Killed while it starts.
      if (random() < 0.3) await arena.startCrashingAt(1 + below(startSteps))
      if (arena.isDead()) await arena.start()
    }
  }

  function pick(from: Readonly<Record<string, unknown>>): string {
    const names = Object.keys(from)
    return names[below(names.length)] ?? ''
  }

  return {
    /** The same numbers give the same round. */
    async play(numbers: () => number): Promise<Round> {
      random = numbers
      const about = { deed: pick(deeds), trouble: pick(troubles) }
      if (arena.isDead()) await arena.start()
      const unready = await prepare(about.deed)
      if (unready.length > 0) return { ...about, broken: ['before it:', ...unready] }
      const done = deeds[about.deed]?.() ?? Promise.resolve(nothing)
      troubles[about.trouble]?.()
      const [undo] = await Promise.all([done, killSome()])
      const broken = await arena.verdict()
      return { ...about, broken: broken.length > 0 ? broken : await undo() }
    },
  }
}
