import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlace, type Place } from '../support/app.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { fleetAtWork, fleetStory } from '../support/fleet.ts'

interface Description {
  readonly paths: Readonly<Record<string, { readonly get: { readonly responses: Readonly<Record<string, unknown>> } }>>
}

const description = JSON.parse(readFileSync('app/dashboard/openapi.json', 'utf8')) as Description
const ajv = new Ajv({ strict: false, allErrors: true })
// The package's types describe its CommonJS form; under ESM the function is the default export itself.
;(addFormats as unknown as (instance: Ajv) => void)(ajv)
ajv.addSchema(withNullEnums(description) as object, 'api')

/** OpenAPI 3.0's `nullable` as JSON Schema has it. */
function withNullEnums(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNullEnums)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withNullEnums(inner)]),
  )
  return nullable === true ? { anyOf: [{ type: 'null' }, rest] } : rest
}

function problems(path: string, status: number, body: unknown): unknown {
  const escaped = ['paths', path, 'get', 'responses', String(status), 'content', 'application/json', 'schema'].map(
    (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
  )
  const check = ajv.getSchema(`api#/${escaped.join('/')}`)
  if (!check) return `the description has no answer ${status} for ${path}`
  check(body)
  return check.errors ?? []
}

let place: Place
let app: TestDashboard
let addresses: { deployed: string; failed: string; running: string }

beforeAll(async () => {
  place = await createPlace()
  const story = await fleetStory(place.dataDir)
  app = await startDashboard(place)
  addresses = { ...story, running: await fleetAtWork(app.app) }
})

afterAll(async () => {
  await app.stop()
  await place.close()
})

describe('the API', () => {
  // path of the description · what is asked · the status
  it.each([
    ['/agents', () => '/agents', 200],
    ['/agents', () => '/agents?state=held', 200],
    ['/agents/{repository}/{name}', () => '/agents/1/triage', 200],
    ['/agents/{repository}/{name}', () => '/agents/1/nobody', 404],
    ['/agents/{repository}/{name}/operations', () => '/agents/1/support-bot/operations', 200],
    ['/agents/{repository}/{name}/operations', () => '/agents/1/support-bot/operations?before=3&kind=deploy', 200],
    ['/operations/{id}', () => addresses.deployed, 200],
    ['/operations/{id}', () => addresses.failed, 200],
    ['/operations/{id}', () => addresses.running, 200],
    ['/queue', () => '/queue', 200],
  ])('answers %s (%s) as it is described, with %i', async (path, asked, status) => {
    const response = await app.get(`/api/v1${asked()}`)
    const body: unknown = await response.json()

    expect(response.status).toBe(status)
    expect(problems(path, status, body)).toEqual([])
  })

  it('tells of refusals as they are described', async () => {
    const refused = await app.get('/api/v1/queue', { 'x-forwarded-for': '203.0.113.7' })
    const wrong = await fetch(`${app.url}/api/v1/agents`, { method: 'POST' })

    expect(problems('/queue', refused.status, await refused.json())).toEqual([])
    expect(problems('/agents', wrong.status, await wrong.json())).toEqual([])
    expect([refused.status, wrong.status]).toEqual([403, 405])
  })

  it('has the same facts as the page', async () => {
    const body = await (await app.get(`/api/v1${addresses.failed}`)).json()

    expect(body).toMatchObject({
      decision: 'failed',
      code: 'build-failed',
      meaning: '‹platform› could not bring ‹version› up: ‹detail›',
      check_run: 77,
      duration_ms: 41_000,
      commits: [{ subject: 'feat(triage): count tokens', bump: 'minor' }],
    })
  })

  it('serves its own description', async () => {
    expect(await (await app.get('/api/v1/openapi.json')).json()).toEqual(description)
  })
})
