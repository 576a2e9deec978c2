import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NullspaceProfile } from '../../app/sandbox/nullspace/profile.ts'
import { type SandboxNullspace, startNullspace } from '../../app/sandbox/nullspace/server.ts'
import type { ShippedBundle } from '../../src/platforms/platform.ts'
import { type Manifest, manifestOf } from '../../src/platforms/nullspace/manifest.ts'
import { agentFiles, shippedTar } from '../support/nullspace.ts'
import { temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let nullspace: SandboxNullspace
let bundle: ShippedBundle

beforeEach(async () => {
  folder = temporaryFolder()
  nullspace = await startNullspace({ root: join(folder.path, 'nullspace'), buildMs: 0 })
  bundle = await shippedTar(folder.path, { ...agentFiles(1), 'link.mjs': { link: 'main.mjs' }, 'a.log': 'x' })
})

afterEach(async () => {
  await nullspace.close()
  expect(nullspace.violations).toEqual([])
  folder.remove()
})

const config = {
  name: 'bot',
  template: 'base',
  workdir: '/workspace/project',
  entrypoint: 'node main.mjs',
  env: { required: [], optional: [] },
  service: { port: 8080, readiness: { path: '/health', timeout_seconds: 10 } },
}
const at = '/v1/agent-deployments'

async function call(
  method: string,
  path: string,
  given: { json?: unknown; key?: string; body?: Buffer; headers?: object } = {},
) {
  const response = await fetch(nullspace.url + path, {
    method,
    headers: {
      authorization: `Bearer ${nullspace.apiKey}`,
      ...(given.key === undefined ? {} : { 'idempotency-key': given.key }),
      ...(given.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...given.headers,
    },
    ...(given.json === undefined ? {} : { body: JSON.stringify(given.json) }),
    ...(given.body === undefined ? {} : { body: given.body }),
  })
  const text = await response.text()
  // The shapes are what the tests assert.
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}

const manifest = (over: Partial<Manifest> = {}) => ({ ...manifestOf(bundle, { config, scheme: 'sha256' }), ...over })

async function record(id: string, over: Partial<Manifest> = {}, changed: object = {}) {
  const json = { bundle_manifest: manifest(over), config: { ...config, ...changed }, cache_policy: 'auto' }
  return await call('POST', `${at}/${id}/versions`, { json, key: `version ${JSON.stringify(json).length}` })
}

const uploading = (digest: string) => ({ 'content-type': 'application/x-tar', 'x-nullspace-bundle-digest': digest })

async function upload(id: string, version: string, over: { key?: string; body?: Buffer; headers?: object } = {}) {
  return await call('PUT', `${at}/${id}/versions/${version}/bundle`, {
    key: 'upload',
    body: readFileSync(bundle.path),
    headers: uploading(bundle.digest),
    ...over,
  })
}

async function publish(mode: 'job' | 'service' = 'service', changed: object = {}) {
  const id = nullspace.addDeployment({ name: 'bot', mode })
  const version = String((await record(id, {}, changed)).body['id'])
  await upload(id, version)
  return { id, version }
}

describe('a request to the emulated Nullspace', () => {
  it('needs the API key', async () => {
    const response = await fetch(`${nullspace.url}${at}/adpl_1`)

    expect([response.status, await response.json()]).toMatchObject([401, { error: { code: 'missing_api_key' } }])
  })

  it('is refused in the flat form where the profile says so', async () => {
    nullspace.setProfile({ errors: 'flat' })

    const { status, body } = await call('GET', `${at}/adpl_1`)

    expect([status, body]).toMatchObject([404, { code: 'agent_deployment_not_found', error: expect.any(String) }])
  })

  it.each([
    ['a deployment', () => call('POST', at, { json: { name: 'x', mode: 'job' } })],
    ['a service', async () => call('POST', `${at}/${(await publish()).id}/services`, { json: {} })],
    [
      'an upload',
      async () => {
        const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
        const headers = uploading(bundle.digest)
        const path = `${at}/${id}/versions/${(await record(id)).body['id']}/bundle`
        return await call('PUT', path, { body: readFileSync(bundle.path), headers })
      },
    ],
  ])('needs an Idempotency-Key to make %s', async (_, make) => {
    expect(await make()).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('Idempotency-Key') } },
    })
  })

  it('is answered again for the same key and payload, and refused for another payload', async () => {
    const ask = (name: string) => call('POST', at, { json: { name, mode: 'job' }, key: 'k' })
    const first = await ask('bot')

    expect(await ask('bot')).toEqual(first)
    expect(await ask('other')).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
    expect(nullspace.deploymentNamed('other')).toBeUndefined()
  })
})

describe('a version record', () => {
  it.each<[string, Partial<Manifest>, object, RegExp]>([
    ['counts files that are not listed', { file_count: 9 }, {}, /file_count is 9, not 3/],
    ['has another total', { total_size: 1 }, {}, /total_size is 1/],
    [
      'lacks the digest of a file',
      { entries: [{ path: 'a', included: true, reason: 'r', size: 0, mode: 420 }], file_count: 1, total_size: 0 },
      {},
      /has a digest/,
    ],
    ['is unpacked elsewhere', { materialization_path: '/other' }, {}, /workdir/],
    ['writes digests in another way', { bundle_digest: 'a'.repeat(64) }, {}, /not written as sha256/],
    ['carries a value of a variable', {}, { env: { required: ['KEY=secret'], optional: [] } }, /config\.env\.required/],
    ['has a third debug key', {}, { debug: { retain_on_failure: true, verbose: true } }, /debug/],
    ['is a service without a port', {}, { service: {} }, /port is required/],
  ])('is refused when it %s', async (_, over, changed, message) => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'service' })

    const { status, body } = await record(id, over, changed)

    expect([status, body]).toMatchObject([400, { error: { message: expect.stringMatching(message) } }])
    expect(nullspace.deployment(id).versions).toEqual([])
  })
})

describe('an upload', () => {
  it('makes the version ready and active, once for the same key', async () => {
    const { id, version } = await publish()

    const again = await upload(id, version)

    expect(again).toMatchObject({ status: 200, body: { id: version, status: 'ready' } })
    expect(nullspace.deployment(id)).toMatchObject({ active: version, uploads: 1 })
  })

  it('is refused for a version that has its bundle', async () => {
    const { id, version } = await publish()

    expect(await upload(id, version, { key: 'another' })).toMatchObject({
      status: 409,
      body: { error: { code: 'upload_conflict' } },
    })
  })

  const tarOf = (files: Record<string, string>) => shippedTar(folder.path, files)
  it.each<[string, (bytes: Buffer) => Promise<Parameters<typeof upload>[2] & object>, RegExp]>([
    [
      'has another type',
      async () => ({ headers: { ...uploading(bundle.digest), 'content-type': 'application/json' } }),
      /application\/x-tar/,
    ],
    [
      'has no digest',
      async () => ({ headers: { 'content-type': 'application/x-tar' } }),
      /X-Nullspace-Bundle-Digest is required/,
    ],
    [
      'has the digest of another manifest',
      async () => ({ headers: uploading(`sha256:${'0'.repeat(64)}`) }),
      /not the bundle_digest/,
    ],
    [
      'has other bytes than its digest says',
      async (bytes) => ({ body: Buffer.concat([bytes, Buffer.alloc(512)]) }),
      /the archive's is sha256/,
    ],
    [
      'is another archive',
      async () => ({ body: readFileSync((await tarOf({ 'main.mjs': 'other' })).path) }),
      /the archive's is/,
    ],
  ])('is refused when it %s', async (_, over, message) => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const version = String((await record(id)).body['id'])

    const { status, body } = await upload(id, version, await over(readFileSync(bundle.path)))

    expect([status, body]).toMatchObject([400, { error: { message: expect.stringMatching(message) } }])
    expect(nullspace.deployment(id)).toMatchObject({ uploads: 0, versions: [{ status: 'created' }] })
  })

  const changed = (path: string, to: object) => ({
    entries: manifest().entries.map((entry) => (entry.path === path ? { ...entry, ...to } : entry)),
  })
  it.each<[string, () => Partial<Manifest>, RegExp]>([
    ['mode', () => changed('main.mjs', { mode: 0o755 }), /"main\.mjs": mode is 493, in the archive 420/],
    ['digest', () => changed('main.mjs', { digest: `sha256:${'0'.repeat(64)}` }), /"main\.mjs": digest/],
    ['link', () => changed('link.mjs', { symlink_target: 'other' }), /"link\.mjs": symlink_target/],
    ['name', () => changed('main.mjs', { path: 'other.mjs' }), /"other\.mjs" is in the manifest and not/],
    [
      'exclusion',
      () => ({ ...changed('link.mjs', { included: false }), file_count: 2 }),
      /"link\.mjs" is in the archive and not/,
    ],
  ])('is refused when the manifest has another %s than the archive', async (_, over, message) => {
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const version = String((await record(id, over())).body['id'])

    const { status, body } = await upload(id, version)

    expect([status, body]).toMatchObject([400, { error: { message: expect.stringMatching(message) } }])
  })

  it.each<[string, Partial<NullspaceProfile>, string, object]>([
    ['at once', { upload: 'building' }, 'building', { status: 'ready' }],
    ['and fails', { build: 'fails' }, 'failed', { status: 'failed', failure: expect.stringContaining('install') }],
    ['and somebody else overtakes it', { overtaken: true }, 'superseded', { status: 'superseded' }],
  ])('can be answered %s', async (_, profile, answered, then) => {
    nullspace.setProfile(profile)
    const id = nullspace.addDeployment({ name: 'bot', mode: 'job' })
    const version = String((await record(id)).body['id'])

    const { body } = await upload(id, version)
    await nullspace.settled()

    expect(body['status']).toBe(answered)
    expect(nullspace.deployment(id).versions[0]).toMatchObject(then)
  })
})

describe('a service', () => {
  const start = (id: string, json: object = {}) =>
    call('POST', `${at}/${id}/services`, { json, key: `start ${JSON.stringify(json)}` })

  it('runs the agent, lets nobody in without the token, and stops', async () => {
    const { id } = await publish()
    const { body } = await start(id)
    await nullspace.settled()

    const url = String(body['public_url'])
    const answer = await fetch(url)
    const stranger = await fetch(url.replace(/token=.*/, ''))
    expect([await answer.text(), stranger.status]).toEqual(['content 1', 401])

    await call('POST', `${at}/${id}/services/${body['id']}/stop`, { json: {} })
    await nullspace.settled()
    expect(nullspace.deployment(id).services).toMatchObject([{ status: 'stopped' }])
    expect((await fetch(url)).ok).toBe(false)
  })

  it.each<[string, object, RegExp]>([
    ['ends', { entrypoint: 'echo no model >&2; exit 3' }, /ended with exit code 3: no model/],
    [
      'is never ready',
      { entrypoint: 'sleep 60', service: { port: 1, readiness: { type: 'tcp', timeout_seconds: 1 } } },
      /port was not open within 1 s/,
    ],
    ['cannot be installed', { install: 'echo broken; exit 1' }, /install ended with exit code 1: broken/],
  ])('fails when the agent %s', async (_, changed, reason) => {
    const { id } = await publish('service', changed)
    await start(id)
    await nullspace.settled()

    expect(nullspace.deployment(id).services).toMatchObject([
      { status: 'failed', failure: expect.stringMatching(reason) },
    ])
  })

  it('notices when its agent dies later', async () => {
    const { id } = await publish()
    await start(id)
    await nullspace.settled()
    const [service] = nullspace.deployment(id).services

    process.kill(service?.pid ?? 0, 'SIGKILL')

    await expect.poll(() => nullspace.deployment(id).services[0]?.status).toBe('failed')
  })

  it('is listed by status and version, page by page', async () => {
    const { id, version } = await publish()
    await start(id)
    await start(id, { version_id: version })
    await nullspace.settled()

    const list = (query: string) => call('GET', `${at}/${id}/services?${query}`)

    expect((await list('status=ready&limit=1')).body).toMatchObject({ items: [{ status: 'ready' }], next_cursor: '1' })
    expect((await list('version_id=adpv_x')).body).toEqual({ items: [], next_cursor: null })
  })

  it('is gone with the sandbox', async () => {
    const { id } = await publish()
    await start(id)
    await nullspace.settled()
    const [service] = nullspace.deployment(id).services

    await nullspace.close()

    expect(() => process.kill(service?.pid ?? 0, 0)).toThrow('ESRCH')
  })
})

describe('a run', () => {
  it('runs the entrypoint of a job with its files', async () => {
    const { id } = await publish('job', { entrypoint: 'node main.mjs job' })

    const { body } = await call('POST', `${at}/${id}/runs`, { json: { input: { a: 1 } }, key: 'run' })
    await nullspace.settled()

    expect(body).toMatchObject({ status: 'queued' })
    expect(nullspace.deployment(id).runs).toMatchObject([{ status: 'succeeded', output: 'content 1' }])
  })
})
