import { performance } from 'node:perf_hooks'
import type { AppProcess } from './app-process.ts'
import type { Passing } from './gate.ts'
import { createRig, type Door, rest, type Rig } from './rig.ts'

/** A request of the app; `before` it reaches the other side, or `after`. */
export interface Moment {
  readonly phase: Passing['phase']
  readonly request: RegExp
}

export interface TakeOver {
  readonly victim: 0 | 1
  /** From the kill until the other instance asks GitHub or the platform for the first time. */
  readonly tookMs: number
}

export type Pair = Awaited<ReturnType<typeof openPair>>

/** Two instances of the app on one PostgreSQL, each with a way of its own to GitHub and the platform. */
export async function openPair(databaseUrl: string) {
  const rig: Rig = await createRig({ databaseUrl })
  const doors: [Door, Door] = [await rig.openDoor(), await rig.openDoor()]
  // What the other asks for is then only the work that it took over.
  const start = (which: 0 | 1) => doors[which].start({ RECONCILE_MINUTES: '0' })
  const instances: [AppProcess, AppProcess] = [await start(0), await start(1)]
  rig.hookTo(instances[0].url)
  await rig.pushFirst()
  await rest(rig)

  /** Either may have taken the work: whoever makes the request is killed. Resolves once the other goes on. */
  function killAt({ phase, request }: Moment): Promise<TakeOver> {
    let victim: 0 | 1 | undefined
    let began = 0
    return new Promise((resolve) => {
      const guard = (which: 0 | 1) =>
        doors[which].watch(({ phase: now, method, path }) => {
          if (victim === undefined && now === phase && request.test(`${method} ${path}`)) {
            victim = which
            began = performance.now()
            void instances[which].kill()
            return 'cut'
          }
          if (victim !== undefined && which !== victim) {
            for (const door of doors) door.watch(() => 'pass')
            resolve({ victim, tookMs: performance.now() - began })
          }
          return 'pass'
        })
      guard(0)
      guard(1)
    })
  }

  return {
    rig,
    doors,
    instances,
    killAt,
    /** Webhooks go to this one from now on. */
    hookTo: (which: 0 | 1) => rig.hookTo(instances[which].url),
    async restart(which: 0 | 1): Promise<void> {
      instances[which] = await start(which)
    },
    async close(): Promise<void> {
      for (const instance of instances) await instance.kill()
      await rig.close()
    },
  }
}

/** How long a killed instance's deploy lies still, one figure per kill; `databaseUrl` names an empty database. */
export async function measureTakeOver(databaseUrl: string, kills: number): Promise<readonly number[]> {
  const pair = await openPair(databaseUrl)
  const times: number[] = []
  try {
    for (let n = 1; n <= kills; n++) {
      const takenOver = pair.killAt({ phase: 'before', request: /^PUT .*\/update$/ })
      pair.hookTo(0)
      await pair.rig.push(`kill ${n}`)
      const { victim, tookMs } = await takenOver
      times.push(tookMs)
      await rest(pair.rig)
      await pair.restart(victim)
    }
    return times
  } finally {
    await pair.close()
  }
}
