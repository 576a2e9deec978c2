import { describe, expect, it } from 'vitest'
import type { Fault } from '../../app/sandbox/faults.ts'
import type { QoderProfile } from '../../app/sandbox/qoder/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { qoder as platform } from '../../src/platforms/qoder/qoder.ts'
import type { Move, Rollout } from '../../src/move.ts'
import { rollOut } from '../../src/rollout.ts'
import { memoryJournal, testIo } from '../support/io.ts'
import { changeOf, skillFolder, type Stand, standOn } from '../support/qoder.ts'

async function rolloutOn(stand: Stand, step: string): Promise<Rollout> {
  const file =
    'version: 1\nagents: { a: { platform: qoder, id: x, settings: { file: a.yml }, deploy: { timeout: 1m } } }'
  const [agent] = parseConfig(file, { path: 'agents.yml', platforms: [platform as Platform] }).agents
  if (!agent) throw new Error('the config has no agent')
  return { agent, client: stand.client, before: await stand.client.find(), wait: true, step }
}

/** Whatever hits the write: PUT, or the POST after it. */
const write = { path: /\/agents\/[^/]+$/ }

// Columns: what goes wrong; with what.
const faults: readonly [string, readonly Fault[]][] = [
  ['nothing', []],
  ['500 twice', [{ ...write, method: 'PUT', kind: 'status', status: 500, times: 2 }]],
  ['429', [{ ...write, method: 'PUT', kind: 'status', status: 429, headers: { 'retry-after': '3' } }]],
  ['503 from a gateway', [{ ...write, method: 'PUT', kind: 'html', status: 503 }]],
  ['a reset before', [{ ...write, method: 'PUT', kind: 'reset-before' }]],
  ['a reset in the middle', [{ ...write, method: 'PUT', kind: 'reset-during' }]],
  ['a reset after the effect', [{ ...write, method: 'PUT', kind: 'reset-after' }]],
  ['a reply cut in half', [{ ...write, method: 'PUT', kind: 'truncated' }]],
  [
    'reads that fail after that',
    [
      { ...write, method: 'PUT', kind: 'reset-after' },
      { ...write, method: 'GET', kind: 'status', status: 502, times: 2, after: 1 },
    ],
  ],
]

describe('under faults', () => {
  it.each(faults)('%s, a deploy makes one version', async (_, planned) => {
    const stand = await standOn()
    const move: Move = {
      kind: 'deploy',
      change: changeOf({ instructions: 'two' }, { attachments: [skillFolder('s')] }),
    }
    const rollout = await rolloutOn(stand, 'deploy')
    for (const fault of planned) stand.qoder.fault(fault)

    const arrival = await rollOut(move, rollout, testIo())

    expect(arrival.live).toEqual({ state: 'live', platformVersion: '2', releaseVersion: '1.1.0' })
    expect(stand.qoder.agent(stand.id)).toMatchObject({ updates: 1, current: { fields: { prompt: 'two' } } })
    expect(stand.qoder.skills()).toHaveLength(1)
    expect(stand.qoder.violations).toEqual([])
  })

  it.each(faults)('%s, a rollback makes one version', async (_, planned) => {
    const stand = await standOn()
    stand.qoder.edit(stand.id, { instructions: 'two' })
    const target = { platformVersion: '1', reason: undefined, cleanupFailed: true }
    const rollout = await rolloutOn(stand, 'rollback')
    for (const fault of planned) stand.qoder.fault(fault)

    const arrival = await rollOut({ kind: 'rollback', target }, rollout, testIo())

    expect(arrival.live).toMatchObject({ platformVersion: '3' })
    expect(stand.qoder.agent(stand.id)).toMatchObject({ updates: 2, current: { fields: { prompt: '' } } })
  })

  it.each<QoderProfile>([{ verb: 'post' }, { verb: 'both', prompt: 'system' }])(
    'a lost reply makes one version on a server with %j',
    async (profile) => {
      const stand = await standOn(profile)
      const rollout = await rolloutOn(stand, 'deploy')
      const method = profile.verb === 'post' ? 'POST' : 'PUT'
      stand.qoder.fault({ ...write, method, kind: 'reset-after' })

      await rollOut({ kind: 'deploy', change: changeOf({ instructions: 'two' }) }, rollout, testIo())

      expect(stand.qoder.agent(stand.id).updates).toBe(1)
    },
  )

  it('an error that Qoder would repeat under the same key does not stay for ever', async () => {
    const stand = await standOn()
    const rollout = await rolloutOn(stand, 'deploy')
    stand.qoder.failNext(2)

    await rollOut({ kind: 'deploy', change: changeOf({ instructions: 'two' }) }, rollout, testIo())

    expect(stand.qoder.agent(stand.id)).toMatchObject({ updates: 1, current: { fields: { prompt: 'two' } } })
  })

  it('a run that died after the effect finds it when it starts again', async () => {
    const stand = await standOn()
    const rollout = await rolloutOn(stand, 'deploy')
    const move: Move = { kind: 'deploy', change: changeOf({ instructions: 'two' }) }
    await stand.client.submit(move.change, rollout.before)
    const journal = memoryJournal(new Map([['deploy.asking', rollout.before]]))

    const arrival = await rollOut(move, rollout, testIo({ journal }))

    expect(arrival.ticket).toMatchObject({ platformVersion: '2', releaseVersion: '1.1.0' })
    expect(stand.qoder.agent(stand.id).updates).toBe(1)
  })

  it('and finds it although somebody has changed the agent since', async () => {
    const stand = await standOn()
    const before = await stand.client.find()
    const change = changeOf({ instructions: 'two' })
    await stand.client.submit(change, before)
    stand.qoder.edit(stand.id, { description: 'by hand' })

    const ticket = await stand.client.submit(change, before)

    expect(ticket.platformVersion).toBe('2')
    expect(stand.qoder.agent(stand.id).updates).toBe(2)
  })

  it('the same request under the same version has the same key, and another under another', async () => {
    const stand = await standOn()
    stand.qoder.fault({ ...write, method: 'PUT', kind: 'reset-before' })
    const change = changeOf({ instructions: 'two' })
    const first = await rolloutOn(stand, 'deploy')
    await rollOut({ kind: 'deploy', change }, first, testIo())
    await rollOut({ kind: 'deploy', change }, await rolloutOn(stand, 'again'), testIo())

    const keys = stand.qoder.requests
      .filter(({ method }) => method === 'PUT')
      .map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual([
      keys[0],
      keys[0],
      expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
    ])
    expect(keys[2]).not.toBe(keys[0])
  })
})
