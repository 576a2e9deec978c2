import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SandboxNanonets, startNanonets } from '../../app/sandbox/nanonets/server.ts'
import { explain } from '../../src/errors.ts'
import { StaleRevision } from '../../src/http.ts'
import { nanonetsClient } from '../../src/platforms/nanonets/client.ts'
import { normalize } from '../../src/platforms/nanonets/document.ts'
import { Settings } from '../../src/platforms/nanonets/settings.ts'
import type { Change, JsonObject, PlatformClient } from '../../src/platforms/platform.ts'
import { hastenedClock, testIo } from '../support/io.ts'

let server: SandboxNanonets
let key: string
let agent: { id: string; group: string }
const config = { system_prompt: 'old', milestones: ['a'], model: 'm1' }

beforeEach(async () => {
  await begin()
})
afterEach(async () => {
  await server.close()
  expect(server.violations).toEqual([])
})

async function begin(profile: Parameters<typeof startNanonets>[0] = {}): Promise<void> {
  server = await startNanonets(profile)
  key = server.addWorkspace()
  agent = server.addAgent({ key, name: 'Invoices', config })
}

async function beginAgain(profile: Parameters<typeof startNanonets>[0]): Promise<void> {
  await server.close()
  await begin(profile)
}

function clientFor(over: { id?: string; settings?: object; key?: string } = {}): PlatformClient {
  const connection = {
    name: 'c',
    platform: 'nanonets',
    baseUrl: `${server.url}/`,
    credentials: { NANONETS_API_KEY: over.key ?? key },
  }
  const settings = Settings.parse(over.settings ?? {})
  const target = { agentId: over.id ?? agent.group, connection, settings }
  return nanonetsClient(target, testIo({ fetch, clock: hastenedClock() }))
}

function changeTo(document: JsonObject, remove: readonly string[] = []): Change {
  return {
    releaseVersion: '1.1.0',
    bump: 'minor',
    document: normalize(document).document,
    remove,
    files: {},
    key: 'k',
    strategy: 'rolling',
    cleanupOld: true,
    commit: 'c1',
    description: '',
  }
}

async function patchesFor(document: JsonObject, remove: readonly string[] = []): Promise<unknown[]> {
  const client = clientFor()
  await client.submit(changeTo(document, remove), await client.find())
  return server.agent(agent.id).effects.map(({ body }) => body)
}

describe('what is sent to Nanonets', () => {
  // Columns: the document (normalized), keys to take away, the body of the PATCH.
  it.each<[string, JsonObject, readonly string[], object | undefined]>([
    [
      'a prompt, with the keys nobody gave',
      { system_prompt: 'new' },
      [],
      { config: { ...config, system_prompt: 'new' } },
    ],
    ['a name alone', { name: 'Bills' }, [], { name: 'Bills' }],
    ['the switch alone', { is_active: false }, [], { is_active: false }],
    ['the switch only where it differs', { is_active: true, name: 'Bills' }, [], { name: 'Bills' }],
    ['nothing when all is as it should be', { name: 'Invoices', config: { model: 'm1' } }, [], undefined],
    ['an empty `config` as nothing', { name: 'Bills', config: {} }, [], { name: 'Bills' }],
    ['a `config` of nothing as nothing', { name: 'Bills', config: null }, [], { name: 'Bills' }],
    ['a key less', { name: 'Invoices' }, ['config.model'], { config: { system_prompt: 'old', milestones: ['a'] } }],
    ['null as a value', { config: { model: null } }, [], { config: { ...config, model: null } }],
  ])('%s', async (_, document, remove, body) => {
    expect(await patchesFor(document, remove)).toEqual(body ? [body] : [])
  })
})

describe('a document for Nanonets', () => {
  it.each<[string, JsonObject, string]>([
    ['a key that is not ours to give', { name: 'x', version_number: 2 }, '"version_number" is not a key'],
    ['the prompt twice', { system_prompt: 'a', config: { system_prompt: 'b' } }, 'given twice'],
    ['nothing at all', {}, 'gives nothing'],
    ['nothing but an empty config', { config: {} }, 'gives nothing'],
    ['an empty name', { name: '' }, '"name"'],
    ['a switch of another type', { is_active: 'yes' }, '"is_active"'],
    ['a config that is a list', { config: ['a'] }, '"config"'],
  ])('is refused with %s', (_, document, problem) => {
    expect(normalize(document).problems.join()).toContain(problem)
  })

  it('has one spelling for the prompt', () => {
    expect(normalize({ system_prompt: 'x' })).toEqual(normalize({ config: { system_prompt: 'x' } }))
  })
})

describe('finding the published version', () => {
  it('goes by the agent’s own id', async () => {
    expect(await clientFor().find()).toMatchObject({ platformVersion: agent.id, content: { 'config.model': 'm1' } })
  })

  it('goes by the id of a version that was replaced since', async () => {
    const newer = server.publish(agent.id, { model: 'm2' })

    const live = await clientFor({ id: agent.id }).find()

    expect(live).toMatchObject({ platformVersion: newer, content: { 'config.model': 'm2' } })
  })

  it('patches that version, not the one whose id is in the config', async () => {
    const newer = server.publish(agent.id, { model: 'm2' })
    const client = clientFor({ id: agent.id })

    await client.submit(changeTo({ config: { model: 'm3' } }), await client.find())

    expect(server.agent(agent.id).effects).toMatchObject([{ kind: 'patch', row: newer }])
  })

  it('goes without a status, as in the documents’ own example', async () => {
    await beginAgain({ profile: { omitsStatus: true } })

    expect(await clientFor().find()).toMatchObject({ platformVersion: agent.id })
  })

  it('goes by a version’s id where the agent’s own is not taken', async () => {
    await beginAgain({ profile: { groupIds: 'refused' } })

    expect(await clientFor({ id: agent.id }).find()).toMatchObject({ platformVersion: agent.id })
  })

  it('says so when nothing is published, and takes the draft when it is to be published', async () => {
    const draft = server.addAgent({ key, name: 'Draft', config, status: 'draft' })

    await expect(clientFor({ id: draft.id }).find()).rejects.toMatchObject({
      code: 'agent-not-found',
      message: expect.stringContaining('no published version'),
    })
    expect(await clientFor({ id: draft.id, settings: { publish: true } }).find()).toMatchObject({ status: 'draft' })
  })
})

describe('publishing', () => {
  const publishing = { settings: { publish: true } }

  it('gives a new id, which is the version from then on', async () => {
    const client = clientFor(publishing)
    const ticket = await client.submit(changeTo({ system_prompt: 'new' }), await client.find())
    const next = await client.check(ticket)

    const published = await client.proceed?.(ticket)

    expect(next.state).toBe('next')
    expect(published?.platformVersion).not.toBe(agent.id)
    expect(published && (await client.check(published))).toEqual({
      state: 'live',
      platformVersion: server.agent(agent.id).live?.id,
    })
  })

  it('is no failure when there is nothing to publish', async () => {
    await beginAgain({ profile: { patchIsDraft: false } })
    const client = clientFor(publishing)
    const ticket = await client.submit(changeTo({ system_prompt: 'new' }), await client.find())

    const published = await client.proceed?.(ticket)

    expect(published && (await client.check(published))).toEqual({ state: 'live', platformVersion: agent.id })
  })
})

describe('somebody else', () => {
  it('is noticed by the date of the last change', async () => {
    const client = clientFor()
    const before = await client.find()
    server.edit(agent.id, { name: 'Bills' })

    await expect(client.submit(changeTo({ system_prompt: 'new' }), before)).rejects.toBeInstanceOf(StaleRevision)
    expect(server.agent(agent.id).effects).toEqual([])
  })

  it('is noticed by the content even when the date is the same', async () => {
    const client = clientFor()
    const before = await client.find()
    server.edit(agent.id, { name: 'Bills' })
    const { revision = '' } = await client.find()

    await expect(client.submit(changeTo({ system_prompt: 'new' }), { ...before, revision })).rejects.toBeInstanceOf(
      StaleRevision,
    )
  })
})

describe('what Nanonets refuses', () => {
  it.each<[string, () => Promise<unknown>, string, string]>([
    ['a wrong key', () => clientFor({ key: 'wrong-key-1' }).find(), 'unauthorized', 'NANONETS_API_KEY'],
    ['an id that is none', () => clientFor({ id: 'agent-1' }).find(), 'platform-rejected', 'must be a UUID'],
    ['an agent of another workspace', () => clientFor({ key: server.addWorkspace() }).find(), 'agent-not-found', ''],
    [
      'a name that is taken',
      async () => {
        server.addAgent({ key, name: 'Bills' })
        return await patchesFor({ name: 'Bills' })
      },
      'platform-rejected',
      'already exists',
    ],
  ])('%s', async (_, doing, code, text) => {
    const error = explain(await doing().catch((caught: unknown) => caught))

    expect(error).toMatchObject({ code })
    expect(`${error.message} ${error.help}`).toContain(text)
  })

  it('no word of a configuration gets into an error about a reply that makes no sense', async () => {
    const body = { id: 7, config: { system_prompt: 'MARKER' } }
    server.fault({ kind: 'status', status: 200, body })

    const error = explain(
      await clientFor()
        .find()
        .catch((caught: unknown) => caught),
    )

    expect(error.code).toBe('platform-response')
    expect(error.message).not.toContain('MARKER')
  })

  it('no word of it gets into the failure of a reply that was cut off', async () => {
    server.edit(agent.id, { config: { system_prompt: 'MARKER'.repeat(20) } })
    server.fault({ kind: 'truncated' })

    const failure: unknown = await clientFor()
      .find()
      .catch((caught: unknown) => caught)

    expect(String(failure)).toContain('not whole')
    expect(String(failure)).not.toContain('MARKER')
  })
})

describe('the emulation', () => {
  const call = async (method: string, path: string, body?: unknown) => {
    const reply = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
  }

  it.each<[string, unknown, string]>([
    ['an unknown field', { version: 2 }, 'Unknown field "version"'],
    ['a field of another type', { is_active: 'no' }, 'Invalid value for "is_active"'],
    ['nothing', {}, 'at least one field'],
    ['prompt and config at once', { system_prompt: 'x', config: {} }, 'either'],
  ])('refuses %s', async (_, body, error) => {
    const reply = await call('PATCH', `/agents/${agent.id}`, body)

    expect(reply).toMatchObject({ status: 400, body: { error: expect.stringContaining(error) } })
  })

  it('erases a configuration that is replaced by an empty one, as the documents warn', async () => {
    await call('PATCH', `/agents/${agent.id}`, { config: {} })

    expect(server.agent(agent.id).live?.config).toEqual({})
  })

  it('does not change what was replaced', async () => {
    server.publish(agent.id, {})

    expect(await call('PATCH', `/agents/${agent.id}`, { name: 'x' })).toMatchObject({ status: 409 })
  })

  it('runs what is published and active, and says what answered', async () => {
    const task = await call('POST', `/agents/${agent.group}/run`, { query: 'hello' })
    const result = await call('GET', `/tasks/${String(task.body['id'])}/result`)
    server.edit(agent.id, { is_active: false })
    const inactive = await call('POST', `/agents/${agent.group}/run`, { query: 'hello' })

    expect([result.body['output'], inactive.status]).toEqual(['Invoices: old', 403])
  })

  it('gives lists page by page', async () => {
    for (const name of ['B', 'C']) server.addAgent({ key, name })
    const first = await call('GET', '/agents?limit=2')
    const second = await call('GET', `/agents?limit=2&cursor=${String(first.body['next_cursor'])}`)

    expect([first.body['has_more'], second.body['has_more']]).toEqual([true, false])
    expect(second.body['data']).toMatchObject([{ name: 'C' }])
  })

  it('makes agents as drafts, which publishing brings to life', async () => {
    const created = await call('POST', '/agents', { name: 'New', system_prompt: 'x' })
    const id = String(created.body['id'])
    const published = await call('POST', `/agents/${id}/versions/publish`)

    expect([created.status, created.body['status'], published.body['status']]).toEqual([201, 'draft', 'published'])
  })
})
