import { expect, it } from 'vitest'
import { parseConfig } from '../src/config/parse.ts'
import { parseDuration } from '../src/config/units.ts'
import { fail } from '../src/errors.ts'
import type { LedgerRecord } from '../src/ledger.ts'
import { submittedNote } from '../src/ledger-notes.ts'
import { closeLeftOpen } from '../src/left-open.ts'
import type { Live, PlatformClient, Progress } from '../src/platforms/platform.ts'
import { testIo } from './support/io.ts'
import { memoryPlatform } from './support/memory-platform.ts'

const memory = memoryPlatform()
const file = 'version: 1\nagents: { a: { platform: memory, id: x, deploy: { timeout: 15m } } }'
const [agent] = parseConfig(file, { path: 'agents.yml', platforms: [memory.platform] }).agents

const minute = 60_000
const begun = Date.parse('2026-01-01T00:00:00Z')

function recordOf(descriptions: readonly string[], platformVersion: string | null, id = 'other'): LedgerRecord {
  return {
    id: 1,
    operation: 'deploy',
    createdAt: new Date(begun).toISOString(),
    statuses: descriptions.map((description) => {
      const state = description.startsWith('unknown') ? ('error' as const) : ('in_progress' as const)
      return { state, description, url: undefined, at: '' }
    }),
    payload: {
      ...{ v: 1, id, agent: 'a', platform: 'memory', agent_id: 'x', release_version: '1.1.0' },
      ...{ platform_version: platformVersion, previous_version: '1.0.0', previous_commit: null, commit: 'c' },
      ...{ digest: null, strategy: null, trigger: 'push', actor: 'ada', reason: null, range: null },
    },
  }
}

const working: Progress = { state: 'working', note: 'building' }
const submitted = submittedNote({ platformVersion: 'v2', buildId: 'b-1' })

// Columns: the record's statuses, newest first · its platform version · minutes since · what the platform says of it ·
// what is live there · the last word.
it.each<[string, string[], string | null, number, Progress | 'moved on', string, string]>([
  ['of a run that is at it', ['deploy begun'], 'v2', 5, working, 'v1', 'open'],
  ['of a run that is at it, and the version is live', ['deploy begun'], 'v2', 5, working, 'v2', 'open'],
  ['of a run that was lost, and the version is live', ['deploy begun'], 'v2', 21, working, 'v2', 'success'],
  ['of a run that was lost, and the platform too', ['deploy begun'], 'v2', 21, working, 'v1', 'error'],
  ['of a run that was lost before anything was known', ['deploy begun'], null, 21, working, 'v1', 'error'],
  ['that nobody waits for, building', [submitted, 'deploy begun'], null, 5, working, 'v1', 'open'],
  ['that nobody waits for, building for ever', [submitted], null, 21, working, 'v1', 'error'],
  ['that nobody waits for, live', [submitted], null, 5, working, 'v2', 'success'],
  [
    'that nobody waits for, live behind a cache',
    [submitted],
    null,
    5,
    { state: 'live', platformVersion: 'v2' },
    'v1',
    'success',
  ],
  ['that nobody waits for, failed', [submitted], null, 5, { state: 'failed', reason: 'no' }, 'v1', 'failure'],
  ['that nobody waits for, and another came', [submitted], null, 5, 'moved on', 'v3', 'error'],
  ['that was given up, and is live after all', ['unknown: timed-out. It'], 'v2', 99, working, 'v2', 'success'],
  ['that was given up, and is not', ['unknown: timed-out. It'], 'v2', 99, working, 'v1', 'error'],
])('a record %s', async (_, descriptions, version, minutes, says, platformVersion, last) => {
  if (!agent) throw new Error('the config has no agent')
  const client: PlatformClient = {
    find: async () => platform,
    submit: () => Promise.reject(new Error('nothing is submitted here')),
    async check(ticket) {
      expect(ticket).toMatchObject({ platformVersion: 'v2' })
      if (says === 'moved on') throw fail('changed-elsewhere', { agent: 'a', platform: 'Memory', detail: 'v3' })
      return says
    },
  }
  const platform: Live = { platformVersion, versions: [] }
  const io = testIo({ clock: { now: () => begun + minutes * minute, sleep: async () => undefined } })

  const [seen] = await closeLeftOpen([recordOf(descriptions, version)], {
    ...{ agent, client, platform, io, own: 'mine', readOnly: true },
  })

  const state = seen?.statuses[0]?.state
  expect(state === 'in_progress' ? 'open' : state).toBe(last)
})

// Columns: how long its run waits · minutes since · what becomes of it.
it.each([
  ['60m', 21, 'in_progress'],
  ['60m', 66, 'error'],
  ['2m', 8, 'error'],
])('of a run that was told to wait %s, after %i minutes, is %s', async (timeout, minutes, state) => {
  if (!agent) throw new Error('the config has no agent')
  const client: PlatformClient = {
    find: () => Promise.reject(new Error('nothing is looked for here')),
    submit: () => Promise.reject(new Error('nothing is submitted here')),
    check: async () => working,
  }
  const record = recordOf(['deploy begun'], 'v2')
  const told = { ...record, payload: { ...record.payload, timeout_ms: parseDuration(timeout) } }
  const io = testIo({ clock: { now: () => begun + minutes * minute, sleep: async () => undefined } })

  const [seen] = await closeLeftOpen([told], {
    ...{ agent, client, platform: { platformVersion: 'v1', versions: [] }, io, own: 'mine', readOnly: true },
  })

  expect(seen?.statuses[0]?.state).toBe(state)
})

it('a record of this very run is left to it', async () => {
  if (!agent) throw new Error('the config has no agent')
  const client = await memory.platform.connect(
    { agentId: 'x', connection: { name: '', platform: '', baseUrl: '', credentials: {} }, settings: {} },
    testIo(),
  )
  const record = recordOf(['deploy begun'], 'v2', 'mine')
  const io = testIo({ clock: { now: () => begun + 60 * minute, sleep: async () => undefined } })

  const seen = await closeLeftOpen([record], {
    ...{ agent, client, platform: { platformVersion: 'v2', versions: [] }, io, own: 'mine', readOnly: true },
  })

  expect(seen).toEqual([record])
})

// Columns: what the platform lists of the version · minutes since · the last word.
it.each<[string, number, string]>([
  ['building', 5, 'open'],
  ['building', 21, 'error'],
  ['failed', 5, 'failure'],
  ['ready', 5, 'error'],
])('a record of a rollout of several acts whose version is %s after %i minutes', async (status, minutes, last) => {
  if (!agent) throw new Error('the config has no agent')
  const no = () => Promise.reject(new Error('its ticket is gone'))
  const client: PlatformClient = { find: no, submit: no, check: no, proceed: no }
  const platform: Live = { platformVersion: 'v1', versions: [{ version: 'v2', status }] }
  const io = testIo({ clock: { now: () => begun + minutes * minute, sleep: async () => undefined } })

  const [seen] = await closeLeftOpen([recordOf([submitted], null)], {
    ...{ agent, client, platform, io, own: 'mine', readOnly: true },
  })

  const state = seen?.statuses[0]?.state
  expect(state === 'in_progress' ? 'open' : state).toBe(last)
})
