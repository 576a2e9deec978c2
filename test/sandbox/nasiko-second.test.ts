import { describe, expect, it, vi } from 'vitest'
import { imageFiles, standOn } from '../support/nasiko-second.ts'
import { zipOf } from '../support/zip.ts'

// Processes are started: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 30_000 })

type Stand = Awaited<ReturnType<typeof standOn>>

function form(parts: Readonly<Record<string, string>>, zip: { name?: string; part?: string } = {}): FormData {
  const made = new FormData()
  made.set(zip.part ?? 'source', new Blob([zipOf(imageFiles('x'))]), zip.name ?? 'x.zip')
  for (const [name, value] of Object.entries(parts)) made.set(name, value)
  return made
}

async function ask(
  stand: Stand,
  method: string,
  path: string,
  over: { body?: string | FormData; token?: string } = {},
) {
  const token = over.token ?? stand.ada.token
  const reply = await fetch(stand.nasiko.url + path, {
    method,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(over.body === undefined ? {} : { body: over.body }),
  })
  return { status: reply.status, text: await reply.text() }
}

const update = (stand: Stand, body: FormData) => ask(stand, 'PUT', `/api/agents/${stand.id}/update`, { body })
const rollback = (stand: Stand, body?: string) =>
  ask(stand, 'POST', `/api/agents/${stand.id}/rollback`, body === undefined ? {} : { body })

describe('an update', () => {
  // Columns: the form, the status, a word of the text.
  it.each<[string, FormData, number, string]>([
    ['of another kind of file', form({}, { name: 'x.tar' }), 400, 'must be a .zip'],
    ['with a pre-release', form({ version: '1.1.0-rc.1' }), 400, 'x.y.z format'],
    ['below the live version', form({ version: '0.9.0' }), 409, 'must be greater'],
    ['with the first generation’s part', form({}, { part: 'file' }), 400, '"file"'],
    ['with a strategy', form({ update_strategy: 'rolling' }), 400, '"update_strategy"'],
  ])('%s is refused, and nothing happens', async (_, body, status, word) => {
    const stand = await standOn()

    const reply = await update(stand, body)

    expect(reply).toEqual({ status, text: expect.stringContaining(word) })
    expect(stand.nasiko.agent(stand.id)).toMatchObject({ updates: 0, builds: [], version: '1.0.0' })
  })

  it.each([
    ['nothing', {}, '1.0.1'],
    ['auto', { version: 'auto' }, '1.0.1'],
    ['minor', { version: 'minor' }, '1.1.0'],
    ['major', { version: 'major' }, '2.0.0'],
    ['a number', { version: '3.1.4' }, '3.1.4'],
  ])('with %s for a version is queued as %j → %s', async (_, parts, version) => {
    const stand = await standOn()

    const reply = await update(stand, form(parts))

    expect(reply.status).toBe(202)
    expect(JSON.parse(reply.text)).toMatchObject({ new_version: version, previous_version: '1.0.0', status: 'queued' })
    await stand.nasiko.agent(stand.id).settled
    expect(stand.nasiko.agent(stand.id)).toMatchObject({
      versions: ['1.0.0 archived, eligible', `${version} active`],
      builds: [`${version} success`],
      serving: version,
    })
  })

  it('ignores parts that it does not know where it is as kind as its source', async () => {
    const stand = await standOn({ unknownParts: 'ignored' })

    const reply = await update(stand, form({}, { part: 'file' }))
    await stand.nasiko.agent(stand.id).settled

    expect(reply.status).toBe(202)
    expect(stand.nasiko.agent(stand.id)).toMatchObject({ builds: ['1.0.1 failed'], version: '1.0.0', status: 'failed' })
  })

  it('by keyword hits a number that is taken, after a rollback', async () => {
    const stand = await standOn()
    await stand.ship('1.0.1')
    await stand.ship('1.0.2')
    await stand.goBack('1.0.1')

    const reply = await update(stand, form({ version: 'auto' }))

    expect(reply).toEqual({ status: 409, text: 'version 1.0.2 already exists for this agent' })
  })
})

describe('a rollback', () => {
  it('without a body goes to the newest that is eligible, under a build of its own', async () => {
    const stand = await standOn()
    await stand.ship('1.1.0')
    await stand.ship('1.2.0')

    const reply = await rollback(stand)
    await stand.nasiko.agent(stand.id).settled

    expect(reply.status).toBe(202)
    expect(JSON.parse(reply.text)).toMatchObject({ rolled_back_to: '1.1.0', rolled_back_from: '1.2.0' })
    expect(stand.nasiko.agent(stand.id)).toMatchObject({
      versions: ['1.0.0 archived, eligible', '1.1.0 active, eligible', '1.2.0 archived'],
      builds: ['1.1.0 success', '1.2.0 success', '1.1.0 success'],
    })
  })

  // Columns: the body, the status, a word of the text.
  it.each([
    [undefined, 409, 'only one version'],
    ['{', 422, 'invalid JSON'],
    ['{"cleanup_failed":true}', 422, 'invalid JSON'],
    ['{"target_version":"9.9.9"}', 404, '9.9.9 not found'],
    ['{"target_version":"1.0.0"}', 400, 'not rollback-eligible'],
  ])('with %s is refused', async (body, status, word) => {
    const stand = await standOn()

    expect(await rollback(stand, body)).toEqual({ status, text: expect.stringContaining(word) })
    expect(stand.nasiko.agent(stand.id).rollbacks).toBe(0)
  })
})

describe('reading', () => {
  it.each([
    ['nobody', '', 401, 'missing or invalid token'],
    ['a token that is none', 'x', 401, 'invalid token'],
  ])('is refused to %s in plain text', async (_, token, status, text) => {
    const stand = await standOn()

    expect(await ask(stand, 'GET', `/api/agents/${stand.id}/versions`, { token: token || '' })).toEqual({
      status,
      text,
    })
  })

  it.each(['/api/agents/ID/deployment', '/api/builds/agent/ID', '/api/builds/x'])(
    'of %s by a reader is unavailable, with 200',
    async (path) => {
      const stand = await standOn()
      const { token } = stand.nasiko.addAccount('eve', 'reader')

      expect(await ask(stand, 'GET', path.replace('ID', stand.id), { token })).toEqual({
        status: 200,
        text: '{"available":false}',
      })
    },
  )

  it('of an agent that is nowhere is a 404 without a word', async () => {
    const stand = await standOn()

    const reply = await ask(stand, 'GET', '/api/agents/00000000-0000-4000-8000-000000000000')

    expect(reply).toEqual({ status: 404, text: '' })
  })

  it('of another address is a violation', async () => {
    const stand = await standOn()

    await ask(stand, 'GET', '/api/v1/agents/x/versions')

    expect(stand.nasiko.violations).toEqual(['GET /api/v1/agents/x/versions'])
  })
})
