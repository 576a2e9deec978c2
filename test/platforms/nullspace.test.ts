import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NullspaceProfile } from '../../app/sandbox/nullspace/profile.ts'
import { type SandboxNullspace, startNullspace } from '../../app/sandbox/nullspace/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { HttpFailure } from '../../src/http.ts'
import { describeAgent } from '../../src/platforms/nullspace/agent-file.ts'
import { nullspaceClient } from '../../src/platforms/nullspace/client.ts'
import { nullspace as platform } from '../../src/platforms/nullspace/nullspace.ts'
import { Settings } from '../../src/platforms/nullspace/settings.ts'
import type { Change, Platform, PlatformClient, Progress, Ticket } from '../../src/platforms/platform.ts'
import { testIo } from '../support/io.ts'
import { agentFiles, changeOf, jobFile, liveVersion, serviceFile, shippedTar } from '../support/nullspace.ts'
import { temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let nullspace: SandboxNullspace

beforeEach(async () => {
  folder = temporaryFolder()
  nullspace = await startNullspace({ root: join(folder.path, 'nullspace'), buildMs: 0 })
})

afterEach(async () => {
  expect(nullspace.violations).toEqual([])
  await nullspace.close()
  folder.remove()
})

function clientOf(agentId: string, settings: object = {}, key = nullspace.apiKey): PlatformClient {
  const credentials = { NULLSPACE_API_KEY: key }
  const connection = { name: 'c', platform: 'nullspace', baseUrl: `${nullspace.url}/`, credentials }
  return nullspaceClient({ agentId, connection, settings: Settings.parse(settings) }, testIo({ fetch }))
}

async function change(content: number, over: Partial<Change> = {}): Promise<Change> {
  const bundle = await shippedTar(folder.path, { ...agentFiles(content), 'a.log': 'x', link: { link: 'main.mjs' } })
  const files = { 'nullspace.agent.toml': serviceFile }
  return changeOf(bundle, { files, key: `commit-${content}`, ...over })
}

const job = { files: { 'nullspace.agent.toml': jobFile } }

/** Submits and does every act, as the core would; `seen` is what `check` said on the way. */
async function roll(client: PlatformClient, wanted: Change) {
  return await follow(client, await client.submit(wanted, await client.find()))
}

async function follow(client: PlatformClient, from: Ticket) {
  const seen: Progress['state'][] = []
  let ticket = from
  for (;;) {
    await nullspace.settled()
    const progress = await client.check(ticket)
    if (seen.at(-1) !== progress.state) seen.push(progress.state)
    if (progress.state === 'live' || progress.state === 'failed') return { ticket, progress, seen }
    if (progress.state === 'next' && client.proceed) ticket = await client.proceed(ticket)
  }
}

const writes = () => nullspace.requests.filter(({ method }) => method !== 'GET')
const keys = () => writes().map(({ headers }) => headers['idempotency-key'])

describe('what Nullspace is sent', () => {
  it('is a record with every field of the documents, then the very bytes', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const wanted = await change(1, job)

    await roll(clientOf(id), wanted)

    const [version] = nullspace.deployment(id).versions
    expect(version?.manifest).toEqual({
      bundle_digest: wanted.bundle?.digest,
      config_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      archive_format: 'tar',
      total_size: expect.any(Number),
      file_count: 3,
      generated_at: '1980-01-01T00:00:00Z',
      materialization_path: '/workspace/project',
      entries: [
        { path: 'a.log', included: false, reason: 'exclude: *.log', size: 1, mode: 0o644 },
        expect.objectContaining({ path: 'lib/data.txt', included: true, reason: 'tracked', size: 2000 }),
        expect.objectContaining({ path: 'link', size: 0, mode: 0o777, symlink_target: 'main.mjs' }),
        expect.objectContaining({ path: 'main.mjs', digest: expect.stringMatching(/^sha256:/) }),
      ],
      include_patterns: [],
      exclude_patterns: ['*.log'],
      default_exclude_patterns: ['.git'],
    })
    expect(version?.config).toEqual({
      name: 'bot',
      template: 'base',
      workdir: '/workspace/project',
      entrypoint: 'node main.mjs job',
      env: { required: ['MODEL'], optional: [] },
    })
    expect(writes().at(-1)).toMatchObject({
      method: 'PUT',
      headers: {
        'content-type': 'application/x-tar',
        'content-length': String(wanted.bundle?.size),
        'x-nullspace-bundle-digest': version?.manifest.bundle_digest,
      },
    })
  })

  it('has the same key for the same step of the same change, and another for every other', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const client = clientOf(id)
    const before = await client.find()
    await client.submit(await change(1, job), before)
    await client.submit(await change(1, job), before)
    await client.submit(await change(2, job), await client.find())

    const [version, bundle, , , laterVersion, laterBundle] = keys()
    expect(keys()).toEqual([version, bundle, version, bundle, laterVersion, laterBundle])
    expect(new Set(keys()).size).toBe(4)
    expect(nullspace.deployment(id).uploads).toBe(2)
  })

  it('is nothing when the very content is active already', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const client = clientOf(id)
    const { ticket } = await roll(client, await change(1, job))
    const sent = writes().length

    const again = await roll(client, await change(1, { ...job, key: 'another run' }))

    expect([again.ticket.platformVersion, writes().length]).toEqual([ticket.platformVersion, sent])
  })

  it.each(['sha256', 'hex', 'entries'] as const)('has digests as the setting says: %s', async (digest) => {
    nullspace.setProfile({ digest })
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })

    const { progress } = await roll(clientOf(id, { digest }), await change(1, job))

    expect(progress.state).toBe('live')
  })
})

describe('a bundle on its way', () => {
  it.each<[string, Partial<NullspaceProfile>, object]>([
    ['is followed while it builds', { upload: 'building' }, { state: 'live' }],
    [
      'fails with the reason of the build',
      { build: 'fails' },
      { state: 'failed', reason: expect.stringContaining('no matching') },
    ],
    [
      'is found in the list where a version has no page',
      { pages: { version: false, versions: true, deployments: true } },
      { state: 'live' },
    ],
    [
      'is known by the active version where there is no page at all',
      { pages: { version: false, versions: false, deployments: true } },
      { state: 'live' },
    ],
    ['is judged by dates where a reply has no status', { sparse: true }, { state: 'live' }],
  ])('%s', async (_, profile, expected) => {
    nullspace.setProfile(profile)
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })

    const { progress } = await roll(clientOf(id), await change(1, job))

    expect(progress).toMatchObject(expected)
  })

  it('is no failure when somebody else’s newer version replaces it', async () => {
    nullspace.setProfile({ overtaken: true })
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })

    await expect(roll(clientOf(id), await change(1, job))).rejects.toMatchObject({ code: 'changed-elsewhere' })
  })

  it('is taken for landed when the version has this very bundle already', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const conflict = {
      method: 'PUT',
      kind: 'status',
      status: 409,
      body: { error: { code: 'upload_conflict' } },
    } as const
    const client = clientOf(id)
    const before = await client.find()
    nullspace.fault(conflict)
    await expect(client.submit(await change(1, job), before)).rejects.toMatchObject({ code: 'platform-rejected' })
    const { platformVersion } = await client.submit(await change(1, job), before)

    nullspace.fault(conflict)
    const again = await client.submit(await change(1, job), before)

    expect(again.platformVersion).toBe(platformVersion)
  })
})

describe('a service', () => {
  const serving = (id: string) => nullspace.deployment(id).services.map(({ versionId, status }) => [versionId, status])

  it('is started, then restarted on the next version when it rolls', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id)
    await roll(client, await change(1))

    const { ticket, seen } = await roll(client, await change(2))

    expect(seen).toEqual(['next', 'live'])
    expect(serving(id)).toEqual([[ticket.platformVersion, 'ready']])
  })

  it('is replaced where a restart stays on the old version', async () => {
    nullspace.setProfile({ restart: 'same' })
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id)
    const first = await roll(client, await change(1))

    const second = await roll(client, await change(2))

    expect(serving(id)).toEqual([
      [first.ticket.platformVersion, 'stopped'],
      [second.ticket.platformVersion, 'ready'],
    ])
  })

  it('runs beside the old one until it is ready, then the old one is stopped', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id)
    await roll(client, await change(1))
    const wanted = await change(2, { strategy: 'blue-green' })
    const next = await client.proceed?.(await client.submit(wanted, await client.find()))
    await nullspace.settled()
    const meanwhile = serving(id).map(([, status]) => status)

    if (next) await follow(client, next)

    expect(meanwhile).toEqual(['ready', 'ready'])
    expect(serving(id).map(([, status]) => status)).toEqual(['stopped', 'ready'])
  })

  it('leaves the old one where old ones are to be kept', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id)
    await roll(client, await change(1))

    const { ticket } = await roll(client, await change(2, { strategy: 'blue-green', cleanupOld: false }))

    expect(serving(id).map(([, status]) => status)).toEqual(['ready', 'ready'])
    expect((await client.find()).platformVersion).toBe(ticket.platformVersion)
  })

  it('that fails leaves the old one serving when it is blue-green', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id)
    const first = await roll(client, await change(1))
    const broken = { 'nullspace.agent.toml': serviceFile.replace('node main.mjs', 'exit 7') }

    const { progress } = await roll(client, await change(2, { strategy: 'blue-green', files: broken }))

    expect(progress).toMatchObject({ state: 'failed', reason: expect.stringContaining('exit code 7') })
    expect((await client.find()).platformVersion).toBe(first.ticket.platformVersion)
  })

  it('is pinned to an old version by the setting, and a job is not', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id, { rollback: 'pin' })
    const first = await roll(client, await change(1))
    await roll(client, await change(2))
    const target = { platformVersion: first.ticket.platformVersion, reason: undefined, cleanupFailed: true }

    const ticket = await client.rollback?.(target, await client.find())
    if (ticket) await follow(client, ticket)

    expect(liveVersion(nullspace.deployment(id))?.id).toBe(first.ticket.platformVersion)
    expect(clientOf(id).rollback).toBeUndefined()
    const other = clientOf(nullspace.addDeployment({ name: 'other', mode: 'job' }), { rollback: 'pin' })
    await expect(other.rollback?.(target, { versions: [] })).rejects.toMatchObject({ code: 'platform-rejected' })
  })

  it('never lets its token out: not in what is live, a ticket, or a message', async () => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
    const client = clientOf(id, { url: 'https://bot.example.com' })
    const rolled = await roll(client, await change(1))
    const token = new URL(nullspace.deployment(id).services[0]?.publicUrl ?? '').searchParams.get('token') ?? '-'
    nullspace.fault({
      method: 'GET',
      path: /services\/adsvc/,
      kind: 'status',
      status: 200,
      body: { public_url: token },
    })
    const unreadable = await client.check(rolled.ticket).catch((error: unknown) => error)

    const told = JSON.stringify([rolled, await client.find(), String(unreadable), unreadable])
    expect(rolled.progress).toMatchObject({ url: 'https://bot.example.com' })
    expect(unreadable).toMatchObject({ code: 'platform-response' })
    expect(told).not.toContain(token)
  })
})

describe('a deployment without an id', () => {
  const settings = { name: 'bot', mode: 'job', create: true }

  it('is made once, by its name, and found the next time', async () => {
    const client = clientOf('', settings)
    expect(await client.find()).toEqual({ versions: [] })

    const { ticket } = await roll(client, await change(1, job))
    await roll(client, await change(2, job))

    expect(ticket.deploymentId).toBe(nullspace.deploymentNamed('bot'))
    expect(nullspace.deployment(ticket.deploymentId ?? '').uploads).toBe(2)
  })

  it('asks for the id where there is no list to find it in', async () => {
    nullspace.addDeployment({ name: 'bot', mode: 'job' })
    nullspace.setProfile({ pages: { version: true, versions: true, deployments: false } })

    await expect(roll(clientOf('', settings), await change(1, job))).rejects.toThrow('set `id`')
  })
})

describe('an error of Nullspace', () => {
  const nested = (code: string, more: object = {}) => ({ error: { code, message: 'why', ...more } })
  it.each<[number, unknown, object]>([
    [401, nested('unauthorized'), { code: 'unauthorized', message: expect.stringContaining('why') }],
    [403, { error: 'why', code: 'permission_denied' }, { code: 'unauthorized' }],
    [404, nested('agent_deployment_not_found'), { code: 'agent-not-found' }],
    [
      400,
      { error: 'why', code: 'invalid_request' },
      { code: 'platform-rejected', message: expect.stringContaining('HTTP 400, invalid_request): why') },
    ],
    [429, nested('quota_exceeded', { retryable: false }), { code: 'platform-rejected' }],
    [429, nested('capacity_exceeded', { retryable: true }), { status: 429, retryAfterMs: 7000 }],
    [429, nested('rate_limit_exceeded'), { status: 429, reached: 'no' }],
    [409, nested('conflict', { retryable: true }), { status: 409 }],
    [500, nested('internal', { retryable: false }), { code: 'platform-rejected' }],
  ])('of HTTP %i and %j is told as it is', async (status, body, expected) => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    nullspace.fault({ kind: 'status', status, body, headers: { 'retry-after': '7' } })

    const failure = await clientOf(id)
      .find()
      .catch((error: unknown) => error)

    expect(failure).toMatchObject(expected)
    if ('status' in expected) expect(failure).toBeInstanceOf(HttpFailure)
  })

  it('never repeats the key', async () => {
    const failure = await clientOf('adpl_1', {}, 'wrong-key-123')
      .find()
      .catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'unauthorized' })
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong-key-123')
  })
})

describe('settings and nullspace.agent.toml', () => {
  const read = (settings: object, text?: string, more: object = {}) =>
    describeAgent(Settings.parse(settings), { text, ...more })

  it('are one, key by key, and settings win', () => {
    const text = `${serviceFile}install = "pip install"\n[resources]\nvcpus = 1\nmemory_mb = 512\n`.replace(
      'mode',
      'name = "x"\nmode',
    )
    const { described, problems } = read(
      { resources: { vcpus: 4 }, install: 'uv sync' },
      text.replace('install = "pip install"\n', ''),
    )

    expect(problems).toEqual([])
    expect(described).toMatchObject({
      mode: 'service',
      config: { name: 'x', install: 'uv sync', resources: { vcpus: 4, memory_mb: 512 }, service: { port: 8080 } },
    })
  })

  // Columns: settings, the file, what else is known, a part of the sentence.
  it.each<[object, string | undefined, object, string]>([
    [{}, undefined, {}, 'there is no `entrypoint`'],
    [{ entrypoint: 'x', mode: 'service' }, undefined, {}, 'a service needs `service.port`'],
    [{ entrypoint: 'x', mode: 'job' }, undefined, { strategy: 'blue-green' }, 'a job has no strategy'],
    [{ entrypoint: 'x', mode: 'job' }, undefined, { deployed: 'service' }, 'the deployment is a service'],
    [{ entrypoint: 'x', rollback: 'pin' }, 'mode = "job"', {}, 'no service that could be pinned'],
    [{ entrypoint: 'x' }, 'mode = "worker"', {}, '`mode`: use "job" or "service"'],
    [{ entrypoint: 'x' }, 'colour = "red"', {}, '`colour` is not a known key'],
    [{ entrypoint: 'x' }, '[debug]\nverbose = true', {}, '`debug.verbose` is not a known key'],
    [{ entrypoint: 'x' }, '[env]\nrequired = ["KEY=s3cr3t"]', {}, '`env.required.0`: only the name'],
    [{ entrypoint: 'x' }, 'KEY = s3cr3t', {}, 'is no TOML at line 1'],
    [{ entrypoint: 'x' }, '[bundle]\ninclude = ["src/**"]', {}, '`bundle.include`'],
  ])('that break a rule are told so: %j, %j', (settings, text, more, sentence) => {
    const { problems } = read(settings, text, more)

    expect(problems.join('\n')).toContain(sentence)
    expect(problems.join('\n')).not.toContain('s3cr3t')
  })

  // Columns: lines of the entry, a part of the problem; undefined for none.
  it.each<[string, string | undefined]>([
    ['id: x', undefined],
    ['settings: { create: true, name: bot, mode: job }', undefined],
    ['settings: { create: true }', 'it needs `name` and `mode`'],
    ['settings: { mode: job }', 'has no `id`'],
    ['id: x, settings: { env: { required: [KEY=s3cr3t] } }', 'only the name of a variable'],
    ['id: x, settings: { rollback: pin, mode: job }', 'a job has no service'],
    ['id: x, settings: { mode: job }, deploy: { strategy: rolling }', 'leave `strategy` out'],
    ['id: x, settings: { mode: service }, deploy: { strategy: rolling }', undefined],
    ['id: x, settings: { speed: fast }', '"speed" is not a known key'],
  ])('in the config file: %s', (entry, problem) => {
    const text = `version: 1\nagents: { a: { platform: nullspace, ${entry} } }`
    const parsed = () => parseConfig(text, { path: 'agents.yml', platforms: [platform as Platform] })

    if (problem === undefined) expect(parsed().agents).toHaveLength(1)
    else expect(parsed).toThrow(problem)
    if (problem !== undefined) expect(parsed).not.toThrow('s3cr3t')
  })

  it('leave out what the file excludes', async () => {
    expect(await platform.bundle.excludes?.({ 'nullspace.agent.toml': '[bundle]\nexclude = ["data/"]' })).toEqual([
      'data/',
    ])
  })
})
