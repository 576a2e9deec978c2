import { describe, expect, it } from 'vitest'
import type { QoderProfile } from '../../app/sandbox/qoder/server.ts'
import { StaleRevision } from '../../src/http.ts'
import type { RollbackTarget } from '../../src/platforms/platform.ts'
import { changeOf, fetchAfter, skillFolder, type Stand, standOn } from '../support/qoder.ts'

const fieldsOf = ({ qoder, id }: Stand) => qoder.agent(id).current.fields
const to = (platformVersion: string): RollbackTarget => ({ platformVersion, reason: undefined, cleanupFailed: true })

/** What was sent to change the agent. */
function updates({ qoder, id }: Stand) {
  return qoder.requests.filter(({ method, path }) => method !== 'GET' && path === `/api/v1/cloud/agents/${id}`)
}

describe('find', () => {
  it('tells the version, the revision and the content in the spelling of documents', async () => {
    const stand = await standOn()
    const fields = {
      model: { id: 'auto' },
      instructions: 'Be kind.',
      metadata: { team: 'blue' },
      tools: [{ type: 't' }],
    }
    stand.qoder.edit(stand.id, fields)

    const live = await stand.client.find()

    expect(live).toMatchObject({ platformVersion: '2', revision: '2', status: 'active' })
    expect(live.content).toEqual({
      name: 'helper',
      model: 'auto',
      instructions: 'Be kind.',
      description: '',
      default_environment: '',
      tools: [{ type: 't' }],
      mcp_servers: [],
      multiagent: null,
      skills: [],
      'skill-folders': {},
      'metadata.team': 'blue',
    })
    expect(live.versions).toMatchObject([
      { version: '2', status: 'active' },
      { version: '1', status: 'previous' },
    ])
    expect(stand.qoder.requests.map(({ headers }) => headers['x-cas-include-extended'])).toEqual(['true', 'true'])
  })

  it('refuses an archived agent', async () => {
    const stand = await standOn()
    stand.qoder.archive(stand.id)

    await expect(stand.client.find()).rejects.toMatchObject({ code: 'agent-archived', decision: 'refused' })
  })

  it('names what it can’t read in a reply, and shows none of it', async () => {
    const stand = await standOn()
    const body = { name: 'helper', version: 'seven', instructions: 'The password is x.', skills: [], metadata: {} }
    stand.qoder.fault({ method: 'GET', kind: 'status', status: 200, body })

    const error: unknown = await stand.client.find().catch((caught: unknown) => caught)

    expect(error).toMatchObject({ code: 'platform-response', message: expect.stringContaining('"version"') })
    expect((error as Error).message).not.toContain('password')
  })

  it('refuses an agent whose skills and metadata are hidden', async () => {
    const stand = await standOn()

    const client = stand.connect({ 'include-extended': false })

    await expect(client.find()).rejects.toMatchObject({
      code: 'platform-response',
      message: expect.stringContaining('leave `include-extended` on'),
    })
  })

  it('needs no header where skills and metadata are always shown', async () => {
    const stand = await standOn({ extended: 'always' }, { 'include-extended': false })

    expect((await stand.client.find()).platformVersion).toBe('1')
    expect(stand.qoder.requests[0]?.headers).not.toHaveProperty('x-cas-include-extended')
  })
})

describe('submit', () => {
  it('sends managed keys and the expected version, and keeps the rest', async () => {
    const stand = await standOn()
    stand.qoder.edit(stand.id, {
      description: 'by hand',
      tools: [{ type: 't' }],
      metadata: { team: 'blue', tier: '1' },
    })
    const before = await stand.client.find()

    const change = changeOf({ system: 'Be kind.', metadata: { tier: '2' } })
    const ticket = await stand.client.submit(change, before)

    expect(ticket).toEqual({ operation: 'deploy', platformVersion: '3', previousVersion: '2', releaseVersion: '1.1.0' })
    expect(fieldsOf(stand)).toMatchObject({
      prompt: 'Be kind.',
      description: 'by hand',
      tools: [{ type: 't' }],
      metadata: {
        team: 'blue',
        tier: '2',
        'agent-deploy': expect.stringMatching(/^mark=[0-9a-f]{16} release=1\.1\.0 commit=c{40}$/),
      },
    })
    expect(await stand.client.check(ticket)).toEqual({ state: 'live', platformVersion: '3', releaseVersion: '1.1.0' })
  })

  it('then finds what it sent, with the release and without its own note', async () => {
    const stand = await standOn()
    const change = changeOf({ model: { id: 'auto' }, instructions: 'x', tools: [], metadata: { team: 'blue' } })
    await stand.client.submit(change, await stand.client.find())

    const live = await stand.client.find()

    expect(live).toMatchObject({ releaseVersion: '1.1.0', content: change.document })
    expect(Object.keys(live.content ?? {}).filter((key) => key.includes('agent-deploy'))).toEqual([])
  })

  it('takes keys away', async () => {
    const stand = await standOn()
    stand.qoder.edit(stand.id, { description: 'x', tools: [{ type: 't' }], metadata: { team: 'blue' } })

    const change = changeOf({}, { remove: ['description', 'tools', 'metadata.team', 'name'] })
    await stand.client.submit(change, await stand.client.find())

    expect(fieldsOf(stand)).toMatchObject({ name: 'helper', description: '', tools: [] })
    expect(fieldsOf(stand).metadata).not.toHaveProperty('team')
  })

  it('says that the agent changed, before anything is sent', async () => {
    const stand = await standOn()
    const before = await stand.client.find()
    stand.qoder.edit(stand.id, { description: 'by hand' })

    const change = changeOf({ description: 'x' }, { attachments: [skillFolder('skills/search')] })

    await expect(stand.client.submit(change, before)).rejects.toBeInstanceOf(StaleRevision)
    expect(stand.qoder.skills()).toEqual([])
    expect(updates(stand)).toEqual([])
  })

  it('says so too when the change comes between reading and writing', async () => {
    const stand = await standOn()
    const fetch = fetchAfter(() => void stand.qoder.edit(stand.id, { description: 'by hand' }))
    const client = stand.connect({}, { fetch })

    const sent = client.submit(changeOf({ description: 'x' }), await client.find())

    await expect(sent).rejects.toBeInstanceOf(StaleRevision)
    expect(updates(stand).map(({ status }) => status)).toEqual([409])
    expect(fieldsOf(stand).description).toBe('by hand')
  })

  it('succeeds after that, because the new version makes another key', async () => {
    const stand = await standOn()
    const change = changeOf({ instructions: 'x' })
    const stale = { ...(await stand.client.find()), revision: '7' }
    await expect(stand.client.submit(change, stale)).rejects.toBeInstanceOf(StaleRevision)

    const ticket = await stand.client.submit(change, await stand.client.find())

    expect(ticket.platformVersion).toBe('2')
  })

  it('tells a key that was used before from a version that is not the one expected', async () => {
    const stand = await standOn()
    const body = { type: 'error', error: { type: 'conflict_error', message: 'Idempotency key reused.' } }
    stand.qoder.fault({ method: 'PUT', kind: 'status', status: 409, body })

    const sent = stand.client.submit(changeOf({ description: 'x' }), await stand.client.find())

    await expect(sent).rejects.toMatchObject({
      code: 'platform-rejected',
      message: expect.stringContaining('HTTP 409, conflict_error): Idempotency key reused.; the version is still'),
    })
  })

  it.each<[string, QoderProfile, string[]]>([
    ['PUT alone', { verb: 'put' }, ['PUT']],
    ['POST alone', { verb: 'post' }, ['PUT', 'POST']],
    ['both', { verb: 'both' }, ['PUT']],
  ])('reaches a server that knows %s', async (_, profile, verbs) => {
    const stand = await standOn(profile)

    await stand.client.submit(changeOf({ description: 'x' }), await stand.client.find())

    expect(updates(stand).map(({ method }) => method)).toEqual(verbs)
    expect(stand.qoder.agent(stand.id).updates).toBe(1)
  })

  it('uses POST at once where the settings say so', async () => {
    const stand = await standOn({ verb: 'post' }, { method: 'post' })

    await stand.client.submit(changeOf({ description: 'x' }), await stand.client.find())

    expect(updates(stand).map(({ method }) => method)).toEqual(['POST'])
  })

  it.each(['instructions', 'system', 'both'] as const)(
    'names the prompt as a server does that knows %s',
    async (prompt) => {
      const stand = await standOn({ prompt })
      const change = changeOf({ system: 'Be kind.' })

      await stand.client.submit(change, await stand.client.find())

      expect(fieldsOf(stand).prompt).toBe('Be kind.')
      expect((await stand.client.find()).content).toMatchObject({ instructions: 'Be kind.' })
    },
  )

  // Columns: status; what Qoder says; our code; a part of our message.
  it.each<[number, string, string, string]>([
    [400, 'invalid_request_error', 'platform-rejected', '(HTTP 400, invalid_request_error): on purpose'],
    [401, 'authentication_error', 'unauthorized', 'does not accept the credential'],
    [403, 'permission_error', 'unauthorized', 'does not accept the credential'],
    [404, 'not_found_error', 'agent-not-found', 'knows no agent'],
    [422, 'api_error', 'platform-rejected', 'HTTP 422'],
    [501, 'feature_not_available', 'platform-rejected', 'HTTP 501'],
  ])('turns HTTP %i %s into %s', async (status, _, code, message) => {
    const stand = await standOn()
    const before = await stand.client.find()
    stand.qoder.fault({ method: 'PUT', kind: 'status', status })

    const sent = stand.client.submit(changeOf({ description: 'x' }), before)

    await expect(sent).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(stand.qoder.agent(stand.id).updates).toBe(0)
  })

  it('never shows the token', async () => {
    const stand = await standOn()
    const client = stand.connect({}, { pat: 'pt-wrong-and-secret' })

    const error: unknown = await client.find().catch((caught: unknown) => caught)

    expect(error).toMatchObject({ code: 'unauthorized' })
    expect(JSON.stringify({ ...(error as Error), message: (error as Error).message })).not.toContain('pt-wrong')
  })
})

describe('check', () => {
  it('waits for a version that is not shown yet', async () => {
    const stand = await standOn()

    const progress = await stand.client.check({ operation: 'deploy', platformVersion: '2' })

    expect(progress).toEqual({ state: 'working', note: 'at version 1, on the way to 2' })
  })

  it('does not call live what somebody else has replaced', async () => {
    const stand = await standOn()
    const ticket = await stand.client.submit(changeOf({ description: 'x' }), await stand.client.find())
    stand.qoder.edit(stand.id, { description: 'by hand' })

    await expect(stand.client.check(ticket)).rejects.toMatchObject({ code: 'changed-elsewhere' })
  })
})

describe('rollback', () => {
  it.each<[string, QoderProfile]>([
    ['asks for it', {}],
    ['finds it in the list', { snapshots: 'list' }],
    ['and knows `system` only', { prompt: 'system', verb: 'post' }],
  ])('brings an earlier version back, history going forward, where the server %s', async (_, profile) => {
    const stand = await standOn(profile)
    const prompt = profile.prompt === 'system' ? 'system' : 'instructions'
    const original = { description: 'first', [prompt]: 'one', tools: [{ type: 'a' }], metadata: { team: 'blue' } }
    stand.qoder.edit(stand.id, original)
    await stand.client.submit(changeOf({ instructions: 'two', mcp_servers: [] }), await stand.client.find())
    stand.qoder.edit(stand.id, { mcp_servers: [{ name: 's' }], tools: null, metadata: { fresh: '1', team: 'red' } })

    const ticket = await stand.client.rollback?.(to('2'), await stand.client.find())

    const earlier = stand.qoder.agent(stand.id).versions.find(({ version }) => version === 2)
    const metadata = { team: 'blue', 'agent-deploy': expect.stringMatching(/^mark=[0-9a-f]{16}$/) }
    expect(ticket).toEqual({ operation: 'rollback', platformVersion: '5', previousVersion: '4' })
    expect(fieldsOf(stand)).toEqual({ ...earlier?.fields, metadata })
    expect(ticket && (await stand.client.check(ticket))).toMatchObject({ state: 'live', platformVersion: '5' })
  })

  it('sends every array, empty ones too', async () => {
    const stand = await standOn()
    stand.qoder.edit(stand.id, { tools: [{ type: 'a' }], mcp_servers: [{ name: 's' }] })

    await stand.client.rollback?.(to('1'), await stand.client.find())

    expect(fieldsOf(stand)).toMatchObject({ tools: [], mcp_servers: [], skills: [] })
  })

  it('knows the release that is live again', async () => {
    const stand = await standOn()
    await stand.client.submit(changeOf({ instructions: 'one' }), await stand.client.find())
    await stand.client.submit(changeOf({ instructions: 'two' }, { releaseVersion: '1.2.0' }), await stand.client.find())

    const ticket = await stand.client.rollback?.(to('2'), await stand.client.find())

    expect(ticket).toMatchObject({ platformVersion: '4', releaseVersion: '1.1.0' })
    expect(await stand.client.find()).toMatchObject({ platformVersion: '4', releaseVersion: '1.1.0' })
  })

  it.each<[string, QoderProfile]>([
    ['9', {}],
    ['9', { snapshots: 'list' }],
    ['0', { snapshots: 'list' }],
    ['latest', {}],
  ])('does not know version %s (%j)', async (version, profile) => {
    const stand = await standOn(profile)

    const asked = stand.client.rollback?.(to(version), await stand.client.find())

    await expect(asked).rejects.toMatchObject({ code: 'version-unknown' })
  })

  it('says that the agent changed meanwhile', async () => {
    const stand = await standOn()
    stand.qoder.edit(stand.id, { description: 'two' })
    const before = await stand.client.find()
    stand.qoder.edit(stand.id, { description: 'three' })

    await expect(stand.client.rollback?.(to('1'), before)).rejects.toBeInstanceOf(StaleRevision)
    expect(stand.qoder.agent(stand.id).updates).toBe(2)
  })
})
