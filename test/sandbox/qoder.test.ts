import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type Qoder, type QoderProfile, startQoder } from '../../app/sandbox/qoder/server.ts'
import { zipOf } from '../support/zip.ts'

let qoder: Qoder
afterEach(() => qoder.close())

interface Asked {
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

async function start(profile?: QoderProfile, now?: () => number): Promise<string> {
  qoder = await startQoder({ ...(profile ? { profile } : {}), ...(now ? { now } : {}) })
  return qoder.create({ name: 'helper', model: 'ultimate' })
}

async function ask(call: string, { body, headers }: Asked = {}) {
  const [method = '', path = ''] = call.split(' ')
  const form = body instanceof FormData
  const response = await fetch(qoder.baseUrl + path, {
    method,
    headers: {
      authorization: `Bearer ${qoder.pat}`,
      ...(form || body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  })
  // Every reply of this API is a JSON object.
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { error?: unknown } }
}

const extended = { 'x-cas-include-extended': 'true' }

function skillForm(name: string, text = 'Look it up.'): FormData {
  const form = new FormData()
  form.set('file', new Blob([zipOf({ 'SKILL.md': `---\nname: ${name}\ndescription: d\n---\n${text}\n` })]), 'skill.zip')
  return form
}

describe('an update', () => {
  it('makes the next version, keeps what is absent and replaces arrays', async () => {
    const id = await start()
    qoder.edit(id, { tools: [{ type: 'a' }, { type: 'b' }], description: 'kept' })

    const reply = await ask(`PUT /agents/${id}`, {
      body: { version: 2, instructions: 'Be kind.', tools: [{ type: 'c' }] },
    })

    expect(reply).toMatchObject({
      status: 200,
      body: { version: 3, description: 'kept', tools: [{ type: 'c' }], instructions: 'Be kind.', system: 'Be kind.' },
    })
    expect(qoder.agent(id).updates).toBe(2)
  })

  it.each([{ value: null }, { value: [] }])('clears an array with $value', async ({ value }) => {
    const id = await start()
    qoder.edit(id, { tools: [{ type: 'a' }] })

    await ask(`PUT /agents/${id}`, { body: { version: 2, tools: value } })

    expect(qoder.agent(id).current.fields.tools).toEqual([])
  })

  it('patches metadata key by key, and null takes a key away', async () => {
    const id = await start()
    qoder.edit(id, { metadata: { team: 'blue', old: '1' } })

    await ask(`PUT /agents/${id}`, { body: { version: 2, metadata: { old: null, fresh: '2' } } })

    expect(qoder.agent(id).current.fields.metadata).toEqual({ team: 'blue', fresh: '2' })
  })

  // Columns: what is sent beside a good version; what the message names.
  it.each<[string, Record<string, unknown>, string]>([
    ['no version', { version: undefined, name: 'x' }, 'version is required'],
    ['a version that is no integer', { version: '1' }, 'version is required'],
    ['an unknown field', { prompt: 'x' }, "Unknown field 'prompt'"],
    ['an empty name', { name: '' }, 'name must be'],
    ['a name to clear', { name: null }, 'name must be'],
    ['a name of 257 characters', { name: 'x'.repeat(257) }, 'name must be'],
    ['a model to clear', { model: null }, 'model must be'],
    ['129 tools', { tools: Array(129).fill({ type: 't' }) }, 'maximum of 128'],
    ['21 MCP servers', { mcp_servers: Array(21).fill({ name: 's' }) }, 'maximum of 20'],
    ['21 skills', { skills: Array(21).fill({ type: 'custom', skill_id: 's' }) }, 'maximum of 20'],
    [
      'a skill that is not there',
      { skills: [{ type: 'custom', skill_id: 'skill_x' }] },
      "Skill 'skill_x' was not found",
    ],
    [
      '17 metadata keys',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ''])) },
      '16 keys',
    ],
    ['a long metadata key', { metadata: { ['k'.repeat(65)]: '' } }, 'too long'],
    ['a long metadata value', { metadata: { k: 'v'.repeat(513) } }, '512'],
    ['both prompts, differing', { instructions: 'a', system: 'b' }, 'differ'],
    ['more than 4 MB', { instructions: 'x'.repeat(4 * 1024 * 1024) }, '4 MB'],
  ])('is refused with %s', async (_, fields, message) => {
    const id = await start()

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 1, ...fields } })

    expect(reply).toMatchObject({
      status: 400,
      body: { type: 'error', error: { type: 'invalid_request_error', message: expect.stringContaining(message) } },
    })
    expect(qoder.agent(id).updates).toBe(0)
  })

  it('conflicts when somebody else was first', async () => {
    const id = await start()
    qoder.edit(id, { description: 'by hand' })

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'by machine' } })

    expect(reply).toMatchObject({ status: 409, body: { error: { type: 'conflict_error' } } })
    expect(qoder.agent(id).current.fields.description).toBe('by hand')
  })

  it('of an archived agent is refused', async () => {
    const id = await start()
    await ask(`POST /agents/${id}/archive`)

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' } })

    expect(reply.status).toBe(400)
    expect((await ask(`GET /agents/${id}`)).body).toMatchObject({ archived: true, archived_at: expect.any(String) })
  })
})

describe('who calls', () => {
  // Columns: headers beside none; status and type.
  it.each<[string, Record<string, string>, number, string]>([
    ['another token', { authorization: 'Bearer pt-other' }, 401, 'authentication_error'],
    ['x-api-key', { 'x-api-key': 'pt-sandbox-writer' }, 401, 'authentication_error'],
    ['a token that may only read', { authorization: 'Bearer pt-sandbox-reader' }, 403, 'permission_error'],
  ])('is refused with %s', async (_, headers, status, type) => {
    const id = await start()

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' }, headers })

    expect(reply).toMatchObject({ status, body: { error: { type }, request_id: expect.stringMatching(/^req_/) } })
  })
})

describe('an idempotency key', () => {
  const headers = { 'idempotency-key': 'k-1' }

  it('replays the first reply without a second effect', async () => {
    const id = await start()

    const first = await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' }, headers })
    const second = await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' }, headers })

    expect(second).toEqual(first)
    expect(qoder.agent(id).updates).toBe(1)
  })

  it('replays an error too', async () => {
    const id = await start()
    qoder.edit(id, { description: 'first' })
    const body = { version: 1, description: 'x' }

    const first = await ask(`PUT /agents/${id}`, { body, headers })

    expect(first.status).toBe(409)
    expect(await ask(`PUT /agents/${id}`, { body, headers })).toEqual(first)
  })

  it('replays a failure of Qoder’s own', async () => {
    const id = await start()
    qoder.failNext(1)
    const body = { version: 1, description: 'x' }

    const first = await ask(`PUT /agents/${id}`, { body, headers })

    expect(first).toMatchObject({ status: 500, body: { error: { type: 'api_error' } } })
    expect(await ask(`PUT /agents/${id}`, { body, headers })).toEqual(first)
    expect((await ask(`PUT /agents/${id}`, { body })).status).toBe(200)
  })

  it('conflicts with another body, in other words than a version does', async () => {
    const id = await start()
    await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' }, headers })

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 2, description: 'x' }, headers })

    expect(reply).toMatchObject({
      status: 409,
      body: { error: { type: 'conflict_error', message: expect.stringContaining('Idempotency key reused') } },
    })
  })

  it('is forgotten after a day', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const id = await start({}, () => now)
    await ask(`PUT /agents/${id}`, { body: { version: 1, description: 'x' }, headers })
    now += 24 * 60 * 60 * 1000

    const reply = await ask(`PUT /agents/${id}`, { body: { version: 2, description: 'x' }, headers })

    expect(reply.body['version']).toBe(3)
  })
})

describe('reading', () => {
  it('shows skills and metadata only when asked', async () => {
    const id = await start()

    expect((await ask(`GET /agents/${id}`)).body).not.toHaveProperty('skills')
    expect((await ask(`GET /agents/${id}`, { headers: extended })).body).toMatchObject({ skills: [], metadata: {} })
  })

  it('gives a version’s snapshot', async () => {
    const id = await start()
    qoder.edit(id, { description: 'second' })

    expect((await ask(`GET /agents/${id}?version=1`)).body).toMatchObject({ version: 1, description: '' })
    expect((await ask(`GET /agents/${id}?version=9`)).status).toBe(404)
  })

  it.each(['after_id', 'page'])('pages through the versions, newest first, by %s', async (cursor) => {
    const id = await start()
    for (const description of ['b', 'c', 'd']) qoder.edit(id, { description })

    const first = await ask(`GET /agents/${id}/versions?limit=2`)
    const second = await ask(`GET /agents/${id}/versions?limit=2&${cursor}=3`)

    expect(first.body).toMatchObject({
      data: [{ version: 4 }, { version: 3 }],
      has_more: true,
      next_page: '3',
      last_id: '3',
    })
    expect(second.body).toMatchObject({ data: [{ version: 2 }, { version: 1 }], has_more: false, next_page: null })
  })

  it('refuses a page of more than 100', async () => {
    const id = await start()

    expect((await ask(`GET /agents/${id}/versions?limit=101`)).status).toBe(400)
  })

  it('leaves archived agents out of the list', async () => {
    const id = await start()
    qoder.archive(id)

    expect((await ask('GET /agents')).body['data']).toEqual([])
    expect((await ask('GET /agents?include_archived=true')).body['data']).toMatchObject([{ id }])
  })

  it('has no other addresses, and says so', async () => {
    await start()

    expect((await ask('GET /projects')).status).toBe(404)
    expect(qoder.violations).toEqual(['GET /api/v1/cloud/projects'])
  })
})

describe('the profile', () => {
  it.each([
    ['put', 'POST'],
    ['post', 'PUT'],
  ] as const)('%s answers 405 to %s', async (verb, other) => {
    const id = await start({ verb })

    expect((await ask(`${other} /agents/${id}`, { body: { version: 1 } })).status).toBe(405)
    expect((await ask(`${verb.toUpperCase()} /agents/${id}`, { body: { version: 1 } })).status).toBe(200)
  })

  it.each([
    ['instructions', 'system'],
    ['system', 'instructions'],
  ] as const)('that knows %s neither takes nor shows %s', async (prompt, other) => {
    const id = await start({ prompt })

    expect((await ask(`PUT /agents/${id}`, { body: { version: 1, [other]: 'x' } })).status).toBe(400)
    const { body } = await ask(`PUT /agents/${id}`, { body: { version: 1, [prompt]: 'x' } })
    expect(body[prompt]).toBe('x')
    expect(body).not.toHaveProperty(other)
  })
})

describe('skills', () => {
  it('are made from a zip, and again under a new long number', async () => {
    await start()
    const made = await ask('POST /skills', { body: skillForm('search') })

    const again = await ask(`POST /skills/${made.body['id']}/versions`, { body: skillForm('search', 'Look twice.') })

    const [skill] = qoder.skills()
    const digest = createHash('sha256')
      .update(skill?.versions[0]?.zip ?? '')
      .digest('hex')
    expect(made).toMatchObject({ status: 201, body: { name: 'search', content_sha256: digest } })
    expect(again).toMatchObject({ status: 201, body: { name: 'search', version: expect.stringMatching(/^\d{16}$/) } })
    expect(skill?.versions.map(({ files }) => files['SKILL.md'])).toEqual([
      expect.stringContaining('Look it up.'),
      expect.stringContaining('Look twice.'),
    ])
    expect((await ask(`GET /skills/${made.body['id']}/versions`)).body['data']).toHaveLength(2)
    expect((await ask(`GET /skills/${made.body['id']}/versions/${again.body['version']}`)).body).toMatchObject({
      skill_id: made.body['id'],
    })
    expect((await ask('GET /skills')).body['data']).toMatchObject([{ id: made.body['id'] }])
  })

  // Columns: what is uploaded; what the message says.
  it.each<[string, () => FormData, string]>([
    ['no file', () => new FormData(), 'file is required'],
    ['something that is no zip', () => form(Buffer.from('no zip at all, and longer than its end record')), 'valid zip'],
    ['a zip without SKILL.md', () => form(zipOf({ 'README.md': 'x' })), 'no SKILL.md'],
    ['a SKILL.md without a name', () => form(zipOf({ 'SKILL.md': '# Search' })), 'names no skill'],
    ['more than 5 MB', () => form(Buffer.alloc(5 * 1024 * 1024 + 1)), '5 MB'],
  ])('are refused with %s', async (_, body, message) => {
    await start()

    const reply = await ask('POST /skills', { body: body() })

    expect(reply).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } })
    expect(qoder.skills()).toEqual([])
  })

  it('keep their name', async () => {
    await start()
    const made = await ask('POST /skills', { body: skillForm('search') })

    const reply = await ask(`POST /skills/${made.body['id']}/versions`, { body: skillForm('find') })

    expect(reply.status).toBe(400)
  })

  it('can be bound at a version that exists, and at no other', async () => {
    const id = await start()
    const { body } = await ask('POST /skills', { body: skillForm('search') })
    const binding = { type: 'custom', skill_id: body['id'], version: body['version'] }

    expect(
      (await ask(`PUT /agents/${id}`, { body: { version: 1, skills: [{ ...binding, version: '7' }] } })).status,
    ).toBe(400)
    await ask(`PUT /agents/${id}`, { body: { version: 1, skills: [binding] } })

    expect(qoder.agent(id).current.fields.skills).toEqual([binding])
  })
})

function form(content: Uint8Array<ArrayBuffer>): FormData {
  const data = new FormData()
  data.set('file', new Blob([content]), 'skill.zip')
  return data
}
