import { createRig, type Door, rest, type Rig } from '../support/rig.ts'
import type { AppProcess } from '../support/app-process.ts'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import type { Bench } from './bench.ts'
import { summarize } from './measure.ts'
import { limit, missing, type Row } from './row.ts'

const about = { group: 'takeover', what: 'an instance is killed before it asks the platform', unit: 's' }
/** Promised: 15 s. One that takes twice as long is over, whatever the reason. */
const patienceMs = 60_000
const update = /^\/api\/v1\/agents\/agent-1\/update$/

/** Two instances on one PostgreSQL; whoever has the work is killed, and the other one's request is waited for. */
export async function takeover(bench: Bench): Promise<Row[]> {
  if (missingPostgres !== undefined) return [missing({ ...about, peer: '' }, missingPostgres)]
  const server = await startPostgres()
  try {
    const rig = await createRig({ databaseUrl: await server.createDatabase('app') })
    try {
      const seconds = await measure(bench, rig)
      const measured = summarize(
        'take-over',
        seconds.map((value) => ({ value })),
      )
      const slowest = Math.max(...seconds)
      return [
        limit({ ...about, most: 15 }, measured),
        limit({ ...about, what: `${about.what}: the slowest of ${seconds.length}`, most: 15 }, slowest),
      ]
    } finally {
      await rig.close()
    }
  } finally {
    await server.close()
  }
}

async function measure(bench: Bench, rig: Rig): Promise<number[]> {
  const doors: [Door, Door] = [await rig.openDoor(), await rig.openDoor()]
  const instances: [AppProcess, AppProcess] = [await doors[0].start(), await doors[1].start()]
  const seconds: number[] = []
  try {
    rig.hookTo(instances[0].url)
    await rig.pushFirst()
    await rest(rig, patienceMs)
    for (let round = 0; round < bench.rounds; round++) {
      const { victim, ms } = await once(rig, { doors, instances, round })
      await rest(rig, patienceMs)
      seconds.push(ms / 1000)
      bench.say(`round ${round + 1}: ${(ms / 1000).toFixed(1)} s`)
      instances[victim] = await doors[victim].start()
    }
  } finally {
    for (const instance of instances) await instance.kill()
  }
  return seconds
}

/** Either may have taken the work: whoever makes the request is killed, and its request never arrives. */
async function once(
  rig: Rig,
  on: { doors: readonly [Door, Door]; instances: readonly [AppProcess, AppProcess]; round: number },
): Promise<{ victim: 0 | 1; ms: number }> {
  const { doors, instances } = on
  let victim: 0 | 1 | undefined
  let killedAt = 0
  const taken = new Promise<number>((resolve, reject) => {
    setTimeout(() => reject(new Error('nobody took the work over')), patienceMs).unref()
    const look = (which: 0 | 1) =>
      doors[which].watch(({ phase, method, path }) => {
        if (phase !== 'before' || method !== 'PUT' || !update.test(path)) return 'pass'
        if (victim === which) return 'cut'
        if (victim !== undefined) {
          resolve(performance.now() - killedAt)
          return 'pass'
        }
        victim = which
        killedAt = performance.now()
        instances[which].child.kill('SIGKILL')
        return 'cut'
      })
    look(0)
    look(1)
  })
  rig.hookTo(instances[0].url)
  await rig.push(`round ${on.round}`)
  const ms = await taken
  for (const door of doors) door.watch(() => 'pass')
  return { victim: victim ?? 0, ms }
}
