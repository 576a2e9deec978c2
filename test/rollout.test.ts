import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config/parse.ts'
import { fail } from '../src/errors.ts'
import { HttpFailure } from '../src/http.ts'
import type { Move, Rollout } from '../src/move.ts'
import { restore } from '../src/restore.ts'
import { rollOut } from '../src/rollout.ts'
import { arrayLog, memoryJournal, movedClock, testIo } from './support/io.ts'
import { type MemoryPlatform, memoryPlatform } from './support/memory-platform.ts'

const move: Extract<Move, { kind: 'deploy' }> = {
  kind: 'deploy',
  change: {
    releaseVersion: '1.1.0',
    bump: 'minor',
    strategy: 'rolling',
    cleanupOld: true,
    commit: 'c1',
    files: {},
    key: 'k',
    description: '',
  },
}
const back: Move = { kind: 'rollback', target: { platformVersion: '0.9.0', reason: undefined, cleanupFailed: true } }

async function rolloutOn(memory: MemoryPlatform, over: Partial<Rollout> = {}): Promise<Rollout> {
  const file = 'version: 1\nagents: { a: { platform: memory, id: x, deploy: { timeout: 1m } } }'
  const [agent] = parseConfig(file, { path: 'agents.yml', platforms: [memory.platform] }).agents
  if (!agent) throw new Error('the config has no agent')
  const connection = { name: 'c', platform: 'memory', baseUrl: '', credentials: {} }
  const client = await memory.platform.connect({ agentId: 'x', connection, settings: {} }, testIo())
  return { agent, client, before: await client.find(), wait: true, step: 'deploy', ...over }
}

describe('rollOut', () => {
  // Columns: what goes wrong on the way; the effects on the platform when all is over.
  it.each<[string, MemoryPlatform['faults']]>([
    ['nothing', []],
    [
      'the platform is busy twice',
      [
        { verb: 'submit', kind: 'busy' },
        { verb: 'submit', kind: 'busy' },
      ],
    ],
    ['nobody listens at first', [{ verb: 'submit', kind: 'refused' }]],
    ['the request is lost before the effect', [{ verb: 'submit', kind: 'lost before' }]],
    ['the reply is lost after the effect', [{ verb: 'submit', kind: 'lost after' }]],
    [
      'lost before, then lost after',
      [
        { verb: 'submit', kind: 'lost before' },
        { verb: 'submit', kind: 'lost after' },
      ],
    ],
    [
      'looks fail in passing',
      [
        { verb: 'check', kind: 'lost before' },
        { verb: 'check', kind: 'busy' },
      ],
    ],
  ])('deploys exactly once when this goes wrong: %s', async (_, faults) => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    memory.faults.push(...faults)

    const arrival = await rollOut(move, rollout, testIo())

    expect(arrival.live?.platformVersion).toBe('1.1.0')
    expect(memory.effects).toEqual(['deploy 1.1.0'])
  })

  it.each<[string, MemoryPlatform['faults']]>([
    ['nothing', []],
    ['the reply is lost after the effect', [{ verb: 'rollback', kind: 'lost after' }]],
    ['the request is lost before the effect', [{ verb: 'rollback', kind: 'lost before' }]],
  ])('rolls back exactly once when this goes wrong: %s', async (_, faults) => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    memory.faults.push(...faults)

    await rollOut(back, rollout, testIo())

    expect(memory.effects).toEqual(['rollback 0.9.0'])
  })

  it('goes on after a crash between the effect and its note: it reads back and does not send again', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    const steps = new Map<string, unknown>([['deploy.asking', rollout.before]])
    await rollout.client.submit(move.change, rollout.before)

    const arrival = await rollOut(move, rollout, testIo({ journal: memoryJournal(steps) }))

    expect(arrival.ticket.platformVersion).toBe('1.1.0')
    expect(memory.effects).toEqual(['deploy 1.1.0'])
  })

  it('goes on after a crash while it watched: the ticket of the step log is followed', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    const journal = memoryJournal()
    await rollOut(move, { ...rollout, wait: false }, testIo({ journal }))

    const arrival = await rollOut(move, rollout, testIo({ journal }))

    expect(arrival.live?.platformVersion).toBe('1.1.0')
    expect(memory.effects).toHaveLength(1)
  })

  it('sends nothing when the operation was made void meanwhile', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    const journal = {
      ...memoryJournal(),
      checkpoint: () => Promise.reject(fail('cancelled', { when: 'by a rollback' })),
    }

    await expect(rollOut(move, rollout, testIo({ journal }))).rejects.toMatchObject({ code: 'cancelled' })
    expect(memory.effects).toEqual([])
  })

  it.each([
    ['is left', true, 'overtaken'],
    ['is waited for, where its end changes what serves,', undefined, undefined],
  ] as const)('%s a build that was made void while it goes on: may be left %s', async (_, mayBeLeft, code) => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    let looks = 0
    memory.progress = (ticket) =>
      ++looks < 5
        ? { state: 'working', note: 'building', ...(mayBeLeft ? { mayBeLeft } : {}) }
        : { state: 'live', platformVersion: ticket.platformVersion }
    const journal = {
      ...memoryJournal(),
      checkpoint: async () => {
        if (looks > 0) throw fail('overtaken', { what: 'A rollback' })
      },
    }

    const ended = rollOut(move, rollout, testIo({ journal })).then(
      () => undefined,
      (error: unknown) => error,
    )

    expect(await ended).toEqual(code && expect.objectContaining({ code }))
    expect(looks).toBe(mayBeLeft ? 1 : 5)
    expect(memory.effects).toEqual(['deploy 1.1.0'])
  })

  it('asks no longer whether a version serves once a rollback waits, and says so', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    const verify = { path: '/', status: 200, timeoutMs: 30_000 }
    memory.progress = (ticket) => ({
      state: 'live',
      platformVersion: ticket.platformVersion,
      url: 'http://127.0.0.1:9',
    })
    const steps: string[] = []
    const journal = {
      ...memoryJournal(),
      checkpoint: async (step: string) => {
        steps.push(step)
        if (step === 'verify') throw fail('overtaken', { what: 'A rollback by @ada' })
      },
    }

    const arrival = await rollOut(move, { ...rollout, agent: { ...rollout.agent, verify } }, testIo({ journal }))

    expect(arrival.live?.platformVersion).toBe('1.1.0')
    expect(arrival.unproved).toContain('A rollback by @ada')
    expect(steps).toEqual(['deploy', 'verify'])
  })

  it('says once what the platform says, with the time that has passed', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    let looks = 0
    memory.progress = (ticket) =>
      ++looks < 5 ? { state: 'working', note: 'building' } : { state: 'live', platformVersion: ticket.platformVersion }
    const log = arrayLog()

    await rollOut(move, rollout, testIo({ log }))

    expect(log.lines.filter((line) => line.includes('building'))).toEqual(['info Memory: 1.1.0 is building (0ms)'])
  })

  it('knows nothing when the deadline passes while the platform still builds', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    memory.progress = () => ({ state: 'working', note: 'building' })
    const clock = movedClock()
    const begun = clock.now()

    await expect(rollOut(move, rollout, testIo({ clock }))).rejects.toMatchObject({
      code: 'timed-out',
      decision: 'unknown',
    })
    expect(clock.now() - begun).toBeLessThanOrEqual(60_000)
  })

  it('fails with the platform’s reason when the build fails', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    memory.progress = () => ({ state: 'failed', reason: 'no module named x' })

    await expect(rollOut(move, rollout, testIo())).rejects.toMatchObject({
      code: 'build-failed',
      message: expect.stringContaining('no module named x'),
    })
  })

  it('stops waiting as soon as it is cancelled', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    memory.progress = () => ({ state: 'working', note: 'building' })
    const controller = new AbortController()
    controller.abort(fail('cancelled', { when: 'while waiting' }))

    await expect(rollOut(move, rollout, testIo({ signal: controller.signal }))).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('a rollout of several acts', () => {
  /** Uploads, then switches, then stops the old one; `done` lists the acts, a repeated one twice. */
  function acting({ client }: Rollout, done: string[], loses: string[] = []): Rollout['client'] {
    const acts = ['switch', 'stop']
    return {
      ...client,
      async check(ticket) {
        const act = acts[Number(ticket.state?.['done'] ?? 0)]
        return act ? { state: 'next', note: `to ${act}` } : { state: 'live', platformVersion: ticket.platformVersion }
      },
      async proceed(ticket) {
        const at = Number(ticket.state?.['done'] ?? 0)
        const act = acts[at] ?? ''
        done.push(act)
        if (loses.splice(0, 1)[0] === act) throw new HttpFailure('ECONNRESET', { reached: 'maybe' })
        return { ...ticket, state: { done: String(at + 1) } }
      },
    }
  }

  it('does them in order', async () => {
    const memory = memoryPlatform()
    const done: string[] = []
    const rollout = await rolloutOn(memory)

    await rollOut(move, { ...rollout, client: acting(rollout, done) }, testIo())

    expect([memory.effects, done]).toEqual([['deploy 1.1.0'], ['switch', 'stop']])
  })

  it('does an act again whose reply was lost, and nothing else', async () => {
    const memory = memoryPlatform()
    const done: string[] = []
    const rollout = await rolloutOn(memory)

    await rollOut(move, { ...rollout, client: acting(rollout, done, ['switch']) }, testIo())

    expect([memory.effects, done]).toEqual([['deploy 1.1.0'], ['switch', 'switch', 'stop']])
  })

  it('is not begun once it is void, and ended once it is begun', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    const voidedFrom = (acts: number, done: string[]) => ({
      ...memoryJournal(),
      checkpoint: async () => {
        if (memory.effects.length > 0 && done.length >= acts) throw fail('overtaken', { what: 'A rollback' })
      },
    })
    const ended: string[] = []
    await rollOut(move, { ...rollout, client: acting(rollout, ended) }, testIo({ journal: voidedFrom(1, ended) }))
    const begun: string[] = []
    const never = rollOut(
      move,
      { ...rollout, client: acting(rollout, begun) },
      testIo({ journal: voidedFrom(0, begun) }),
    )

    await expect(never).rejects.toMatchObject({ code: 'overtaken' })
    expect([ended, begun]).toEqual([['switch', 'stop'], []])
  })

  it('goes on after a crash with the act that was next', async () => {
    const memory = memoryPlatform()
    const done: string[] = []
    const rollout = await rolloutOn(memory)
    const journal = memoryJournal()
    const voided = {
      ...journal,
      put: async (step: string, value: unknown) => {
        await journal.put(step, value)
        if (done.length === 1) throw fail('cancelled', { when: 'between two acts' })
      },
    }
    await rollOut(move, { ...rollout, client: acting(rollout, done) }, testIo({ journal: voided })).catch(
      () => undefined,
    )

    await rollOut(move, { ...rollout, client: acting(rollout, done) }, testIo({ journal }))

    expect([memory.effects, done]).toEqual([['deploy 1.1.0'], ['switch', 'stop']])
  })

  it('does what is due even when nobody waits', async () => {
    const memory = memoryPlatform()
    const done: string[] = []
    const rollout = await rolloutOn(memory)

    const arrival = await rollOut(move, { ...rollout, wait: false, client: acting(rollout, done) }, testIo())

    expect([arrival.live, done]).toEqual([undefined, ['switch', 'stop']])
  })
})

describe('restore', () => {
  const restoring = {
    change: move.change,
    previous: undefined,
    recorded: () => Promise.reject(new Error('nothing is on record')),
    io: testIo(),
  }

  it('rolls back to what was live before', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)
    await rollOut(move, rollout, testIo())

    const restored = await restore(rollout, restoring)

    expect(restored).toEqual({ version: '1.0.0', acted: true })
    expect(memory.live).toBe('1.0.0')
  })

  it('leaves alone what never stopped being live', async () => {
    const memory = memoryPlatform()
    const rollout = await rolloutOn(memory)

    const restored = await restore(rollout, restoring)

    expect(restored).toEqual({ version: '1.0.0', acted: false })
    expect(memory.effects).toEqual([])
  })
})
