import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../app/context.ts'
import { closeStuckRecords } from '../../app/reconcile-records.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
})
afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const rest = () => settled(app, place.github)
const records = () => place.github.repository('acme/agents').deployments
const states = () => records().map(({ statuses }) => statuses.map(({ state }) => state).join(' '))
const change = () => place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })

/** The reconciler as it looks hours later. */
async function look(later = 7 * 60 * 60_000): Promise<void> {
  const clock: App['clock'] = { ...app.app.clock, now: () => app.app.clock.now() + later }
  await closeStuckRecords({ ...app.app, clock }, { reach: app.reach, budget: { left: 50 } })
}

/** The newest record becomes one of a workflow that never came to an end. */
function abandon(): void {
  const record = records().at(-1)
  const payload = record?.payload as { agent_deploy: { id: string } } | undefined
  if (!record || !payload) throw new Error('there is no record')
  payload.agent_deploy.id = 'run-7-1-deploy-1'
  record.statuses.splice(1)
}

describe('a record that was left open', () => {
  it('by a run of ours that could not close it is closed as it ended', async () => {
    place.github.fault({ method: 'POST', path: /statuses$/, kind: 'status', status: 403, after: 1 })
    await change()
    await rest()
    const before = states()
    await look()

    expect(before).toEqual(['in_progress success', 'in_progress'])
    expect(states()).toEqual(['in_progress success', 'in_progress success'])
  })

  it('by a workflow that is gone says what the platform says', async () => {
    await change()
    await rest()
    abandon()
    await look()

    expect(states()).toEqual(['in_progress success', 'in_progress success'])
    expect(records().at(-1)?.statuses.at(-1)?.description).toBe('1.0.2 is live (platform version 1.0.2)')
  })

  it('by a workflow that is gone, with nothing live of it, is an error; who stood back for it deploys', async () => {
    await change()
    await rest()
    abandon()
    memory.live = '1.0.1'
    memory.versions = [{ version: '1.0.1', status: 'active' }]
    const { progress } = memory
    memory.progress = (ticket) =>
      memory.effects.length < 3 ? { state: 'working', note: 'building' } : progress(ticket)
    const { body } = place.github.deliveries.findLast(({ event }) => event === 'push') ?? { body: '' }
    await app.app.store.deliveries.insert([{ guid: 'another', event: 'push', body, receivedAt: app.app.clock.now() }])
    app.app.engine.wake('delivery:another')
    await rest()
    const [stood] = await app.app.store.agents.byDelivery('another')
    await look()
    await rest()

    expect(stood).toMatchObject({ decision: 'skipped', code: 'in-progress' })
    expect(states()).toEqual(['in_progress success', 'in_progress error', 'in_progress success'])
    expect(records()[1]?.statuses.at(-1)?.description).toMatch(
      /^unknown: timed-out\. .* was still at it when its time was up$/,
    )
    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'deploy 1.0.2'])
  })

  it('is left alone while its run may be alive', async () => {
    await change()
    await rest()
    abandon()
    await look(100 * 60_000)

    expect(states()).toEqual(['in_progress success', 'in_progress'])
  })

  it('is looked for at one call, where all have ended', async () => {
    await look()
    const before = place.github.requests.length
    await look()

    expect(place.github.requests.slice(before).map(({ path }) => path.split('?')[0])).toEqual([
      expect.stringMatching(/\/deployments$/),
    ])
  })
})
