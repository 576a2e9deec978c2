import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unpackArchive } from '../../app/sandbox/nasiko/archive.ts'
import { type NasikoProfile, observed } from '../../app/sandbox/nasiko/profile.ts'
import { type SandboxNasiko, startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { sampleAgents, samplePath } from '../../app/sandbox/samples.ts'
import { nextVersion } from '../../app/sandbox/nasiko/update.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { nasiko as platform } from '../../src/platforms/nasiko/nasiko.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { agentFiles, zipOf } from '../support/nasiko.ts'
import { commitTree, temporaryFolder, writeTree } from '../support/repository.ts'

// Processes are started: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: ReturnType<typeof temporaryFolder>
let nasiko: SandboxNasiko
let token: string
let id: string

const startTimeoutMs = 3000

beforeEach(async () => {
  folder = temporaryFolder()
  writeTree(join(folder.path, 'seed'), agentFiles('one'))
  nasiko = await startNasiko({ root: join(folder.path, 'nasiko'), buildMs: 0, startTimeoutMs })
  token = nasiko.addAccount('ada').token
  id = 'agent-1'
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await nasiko.close()
  folder.remove()
})

/** An agent whose first version answers. */
async function serve(): Promise<void> {
  await nasiko.addAgent({ owner: 'ada', name: 'bot', id, seed: join(folder.path, 'seed') })
}

/** An agent of which only the registry knows: enough for what is refused before anything runs. */
async function register(): Promise<void> {
  await nasiko.addAgent({ owner: 'ada', name: 'bot', id })
}

async function call(
  method: string,
  path: string,
  over: { body?: string | FormData; auth?: string; type?: string } = {},
) {
  const reply = await fetch(nasiko.url + path, {
    method,
    headers: {
      ...(over.auth === '' ? {} : { authorization: over.auth ?? `Bearer ${token}` }),
      ...(over.type ? { 'content-type': over.type } : {}),
    },
    ...(over.body === undefined ? {} : { body: over.body }),
  })
  const text = await reply.text()
  return { status: reply.status, body: JSON.parse(text) as Record<string, unknown>, headers: reply.headers }
}

type Form = Record<string, string | Blob | { file: Buffer<ArrayBuffer>; name: string }>

function formOf(fields: Form): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'object' && 'file' in value) form.append(name, new Blob([value.file]), value.name)
    else form.append(name, value)
  }
  return form
}

function zipped(files: Readonly<Record<string, string>>) {
  return { file: zipOf(files), name: 'bot.zip' }
}

const update = (fields: Form) => call('PUT', `/api/v1/agents/${id}/update`, { body: formOf(fields) })
const rollback = (body: unknown) =>
  call('POST', `/api/v1/agents/${id}/rollback`, { body: JSON.stringify(body), type: 'application/json' })

async function answer(path = '/') {
  const reply = await fetch(nasiko.agentUrl(id) + path)
  return { text: await reply.text(), version: reply.headers.get('x-agent-version'), status: reply.status }
}

const uploadState = async () => {
  const { body } = await call('GET', '/api/v1/user/upload-agents?limit=5')
  const [first] = body['data'] as { upload_info: { upload_status: string } }[]
  return first?.upload_info.upload_status
}

const isAlive = (pid: number | undefined) => pid !== undefined && existsSync(`/proc/${pid}`)

describe('who may ask', () => {
  beforeEach(register)

  it('logs in with key and secret, outside of /api/v1, and takes the token', async () => {
    const { accessKey, accessSecret } = nasiko.addAccount('ada')
    const body = JSON.stringify({ access_key: accessKey, access_secret: accessSecret })

    const login = await call('POST', '/auth/users/login', { body, auth: '', type: 'application/json' })
    const reply = await call('GET', `/api/v1/agents/${id}/versions`, { auth: `Bearer ${String(login.body['token'])}` })

    expect(login.body).toMatchObject({ token_type: 'bearer', expires_in: 43_200 })
    expect(reply.status).toBe(200)
  })

  // Columns: the login's body, the status.
  it.each([
    [{ access_key: 'x', access_secret: 'y' }, 401],
    [{ access_key: 'x' }, 422],
    [{}, 422],
  ])('refuses the login %j with %i', async (body, status) => {
    const login = await call('POST', '/auth/users/login', { body: JSON.stringify(body), auth: '' })

    expect(login.status).toBe(status)
  })

  // Columns: what is wrong, the header, the status.
  it.each([
    ['no header', '', 403],
    ['another scheme', 'Basic abc', 403],
    ['a token of somebody else', 'Bearer a.b.c', 401],
  ])('refuses %s', async (_, auth, status) => {
    const reply = await call('GET', `/api/v1/agents/${id}/versions`, { auth })

    expect(reply.status).toBe(status)
    expect(reply.body).toHaveProperty('detail')
  })

  it('refuses a token once it has expired, and says how to come back', async () => {
    nasiko.expireTokens()

    const reply = await call('GET', `/api/v1/agents/${id}/versions`)

    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toBe('Bearer')
  })
})

describe('nextVersion', () => {
  // Columns: the current version, what is asked for, how exact versions are taken, the new version.
  it.each<[string, string, NasikoProfile['exactVersions'], string]>([
    ['1.0.0', 'auto', 'taken', '1.0.1'],
    ['1.0.0', 'patch', 'taken', '1.0.1'],
    ['1.2.3', 'minor', 'taken', '1.3.0'],
    ['1.2.3', 'major', 'taken', '2.0.0'],
    ['v1.2.3', 'patch', 'taken', '1.2.4'],
    ['1.2', 'minor', 'taken', '1.1.0'],
    ['1.2.3', '3.0.0', 'taken', '3.0.0'],
    ['1.2.3', '3.0.0', 'ignored', '1.2.4'],
  ])('%s, asked for %s (exact versions are %s), becomes %s', (from, asked, exactVersions, wanted) => {
    expect(nextVersion(from, asked, { exactVersions })).toBe(wanted)
  })
})

describe('update', () => {
  beforeEach(serve)

  it('answers as documented, keeps the archive, and serves the new version under the same address', async () => {
    const archive = zipped(agentFiles('two'))

    const reply = await update({ file: archive, version: 'minor', update_strategy: 'rolling', cleanup_old: 'true' })
    await nasiko.agent(id).settled

    expect(reply).toMatchObject({ status: 200, body: { status_code: 200, message: 'Update initiated' } })
    expect(reply.body['data']).toMatchObject({
      ...{ agent_id: id, new_version: '1.1.0', previous_version: '1.0.0', status: 'building', status_code: 200 },
      ...{ build_id: expect.stringMatching(/^build-/), deployment_id: expect.stringMatching(/^deploy-/) },
    })
    expect(await answer()).toEqual({ text: 'two', version: '1.1.0', status: 200 })
    const agent = nasiko.agent(id)
    expect(agent.digestOf('1.1.0')).toBe(`sha256:${createHash('sha256').update(archive.file).digest('hex')}`)
    expect(agent).toMatchObject({ current: '1.1.0', serving: '1.1.0', updates: 1 })
    expect(agent.versions).toEqual([
      { version: '1.0.0', status: 'archived' },
      { version: '1.1.0', status: 'active' },
    ])
  })

  it('answers flat, with 202 and null ids, as the published source does', async () => {
    nasiko.setProfile(observed)

    const { status, body } = await update({ file: zipped(agentFiles('two')), description: 'abc123' })

    expect(status).toBe(200)
    expect(body).toMatchObject({ new_version: '1.0.1', build_id: null, deployment_id: null, status_code: 202 })
    expect(nasiko.agent(id)).toMatchObject({ current: '1.0.1', serving: '1.0.0' })
    expect(nasiko.agent(id).descriptionOf('1.0.1')).toBe('abc123')
  })

  it('gives an agent its port and the Dockerfile’s ENV, and nothing of the environment around', async () => {
    const { text } = await answer('/who')

    expect(text).toBe('a test HOME,HOST,PATH,PORT,PYTHONUNBUFFERED,WHO')
  })

  it('takes files that lie in one folder of the archive', async () => {
    const files = Object.entries(agentFiles('two')).map(([path, text]) => [`bot-main/${path}`, text])

    await update({ file: zipped(Object.fromEntries(files)) })
    await nasiko.agent(id).settled

    expect(await answer()).toMatchObject({ text: 'two' })
  })

  it('does the change and loses the reply when told to', async () => {
    nasiko.fault({ method: 'PUT', kind: 'reset-after' })

    await expect(update({ file: zipped(agentFiles('two')) })).rejects.toThrow('fetch failed')
    await nasiko.agent(id).settled

    expect(nasiko.agent(id)).toMatchObject({ updates: 1, serving: '1.0.1' })
  })
})

describe('an update that is refused', () => {
  beforeEach(register)

  // Columns: what is wrong, the form, the status, a word of the reason.
  const good = () => zipped(agentFiles('two'))
  it.each<[string, () => Form, number, string]>([
    ['a file name without .zip', () => ({ file: { ...good(), name: 'bot.ZIP' } }), 400, 'Only .zip'],
    ['a file without a name', () => ({ file: 'PK' }), 422, 'UploadFile'],
    ['a version that is none', () => ({ file: good(), version: 'banana' }), 422, 'semantic version'],
    ['an unknown strategy', () => ({ file: good(), update_strategy: 'canary' }), 422, 'blue-green'],
    ['a boolean that is none', () => ({ file: good(), cleanup_old: 'maybe' }), 422, 'boolean'],
    ['a field that the documents lack', () => ({ file: good(), description: 'x' }), 422, 'description'],
    ['no file for an agent that is not from GitHub', () => ({ version: 'patch' }), 400, 'not originally sourced'],
  ])('refuses %s, and nothing changes', async (_, form, status, word) => {
    const reply = await update(form())

    expect(reply.status).toBe(status)
    expect(JSON.stringify(reply.body['detail'])).toContain(word)
    expect(nasiko.agent(id)).toMatchObject({ updates: 0, current: '1.0.0', versions: [{ version: '1.0.0' }] })
  })

  it('refuses a body that is no multipart form', async () => {
    const body = JSON.stringify({ version: 'minor' })

    const reply = await call('PUT', `/api/v1/agents/${id}/update`, { body, type: 'application/json' })

    expect(reply.status).toBe(422)
  })

  // Columns: what is wrong with the archive, the archive, a word of the reason.
  const without = (path: string) => {
    const { [path]: _left, ...files } = agentFiles('two')
    return zipOf(files)
  }
  const flipped = () => {
    const archive = zipOf(agentFiles('two'))
    archive[100] = (archive[100] ?? 0) ^ 1
    return archive
  }
  it.each<[string, () => Buffer<ArrayBuffer>, string]>([
    ['it is no archive', () => Buffer.from('hello'), 'Invalid zip file'],
    ['it is cut off', () => zipOf(agentFiles('two')).subarray(0, -30), 'Invalid zip file'],
    ['its content is damaged', flipped, 'damaged'],
    ['a path leads out of it', () => zipOf({ ...agentFiles('x'), '../evil': 'x' }), 'Unsafe path in zip: ../evil'],
    ['a path is absolute', () => zipOf({ ...agentFiles('x'), '/etc/evil': 'x' }), 'Unsafe path'],
    [
      'it has too many files',
      () => zipOf(Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}`, '']))),
      'too many files',
    ],
    ['it has no Dockerfile', () => without('Dockerfile'), 'Dockerfile is missing'],
    ['its Dockerfile has no FROM', () => zipOf({ ...agentFiles('x'), Dockerfile: 'CMD ["node"]' }), 'FROM'],
    ['it has no compose file', () => without('docker-compose.yml'), 'docker-compose.yml is missing'],
    [
      'its compose file has no services',
      () => zipOf({ ...agentFiles('x'), 'docker-compose.yml': 'version: 3' }),
      'services',
    ],
    ['it has no entry point', () => without('main.py'), 'entry point not found'],
    ['its entry point is empty', () => zipOf({ ...agentFiles('x'), 'main.py': ' \n' }), 'main.py is empty'],
  ])('refuses an archive because %s, in both forms of a refusal', async (_, archive, word) => {
    const file = { file: archive(), name: 'bot.zip' }

    const documentedReply = await update({ file })
    nasiko.setProfile({ refusals: 'body', envelope: false })
    const observedReply = await update({ file })

    expect(documentedReply.status).toBe(400)
    expect(documentedReply.body['detail']).toContain(word)
    expect(observedReply).toMatchObject({ status: 200, body: { status: 'failed', status_code: 400 } })
    expect(observedReply.body['message']).toContain(word)
    expect(nasiko.agent(id)).toMatchObject({ updates: 0, versions: [{ version: '1.0.0' }] })
    expect(existsSync(join(folder.path, 'nasiko', 'evil'))).toBe(false)
  })

  it('has no archive above 100 MB', () => {
    expect(() => unpackArchive(Buffer.alloc(100 * 1024 * 1024 + 1), folder.path)).toThrow('File too large')
  })

  it('says in both forms that an agent is not known', async () => {
    const body = formOf({ file: zipped(agentFiles('x')) })
    const other = () => call('PUT', '/api/v1/agents/nobody/update', { body })

    const documentedReply = await other()
    nasiko.setProfile({ refusals: 'body' })
    const observedReply = await other()

    expect(documentedReply).toMatchObject({ status: 404, body: { detail: 'Agent nobody not found in registry' } })
    expect(observedReply).toMatchObject({ status: 200, body: { status_code: 400, data: { status: 'failed' } } })
  })
})

describe('a build that fails', () => {
  beforeEach(serve)

  const crashing = { ...agentFiles('x'), 'server.mjs': 'throw new Error("no model configured")' }
  const deaf = { ...agentFiles('x'), 'server.mjs': 'setTimeout(() => {}, 60_000)' }

  // Columns: the strategy, what happens, the files.
  it.each([
    ['rolling', 'ends at once', crashing],
    ['blue-green', 'ends at once', crashing],
    ['blue-green', 'never listens', deaf],
  ])('leaves the old version serving (%s, the new one %s)', async (update_strategy, _, files) => {
    await update({ file: zipped(files), update_strategy })
    await nasiko.agent(id).settled

    expect(await answer()).toEqual({ text: 'one', version: '1.0.0', status: 200 })
    expect(nasiko.agent(id)).toMatchObject({ current: '1.0.0', serving: '1.0.0' })
    expect(nasiko.agent(id).versions.at(-1)).toEqual({ version: '1.0.1', status: 'failed' })
    expect(await uploadState()).toBe('Failed')
  })

  it('stays `building` for ever in the published server’s list; only the upload record says so', async () => {
    nasiko.setProfile(observed)

    await update({ file: zipped(crashing) })
    await nasiko.agent(id).settled

    expect(nasiko.agent(id).versions.at(-1)).toEqual({ version: '1.0.1', status: 'building' })
    expect(nasiko.agent(id)).toMatchObject({ current: '1.0.1', serving: '1.0.0' })
    expect(await uploadState()).toBe('Failed')
  })

  // Columns: what the Dockerfile says, a word of the reason.
  it.each([
    ['CMD ["python", "main.py"]', 'there is no "python" on this machine'],
    ['CMD ["node", "gone.mjs"]', 'ended with exit code 1 before it listened'],
    ['CMD node server.mjs', 'not in the exec form'],
    ['EXPOSE 80', 'neither CMD nor ENTRYPOINT'],
  ])('says why: %s', async (line, word) => {
    vi.stubEnv('PATH', '/nowhere')
    writeTree(join(folder.path, 'broken'), { ...agentFiles('x'), Dockerfile: `FROM scratch\n${line}\n` })

    const adding = nasiko.addAgent({ owner: 'ada', name: 'broken', seed: join(folder.path, 'broken') })

    await expect(adding).rejects.toThrow(word)
  })
})

describe('strategies', () => {
  beforeEach(serve)

  it('fails no request under load during a blue-green switch, and lets those under way finish', async () => {
    const answers: string[] = []
    let going = true
    const callers = Array.from({ length: 8 }, async (_, at) => {
      while (going) answers.push(`${(await answer(at === 0 ? '/slow' : '/')).status} ${(await answer()).text}`)
    })
    const old = nasiko.agent(id).pid

    await update({ file: zipped(agentFiles('two')), update_strategy: 'blue-green' })
    await nasiko.agent(id).settled
    await answer()
    going = false
    await Promise.all(callers)

    expect(new Set(answers)).toEqual(new Set(['200 one', '200 two']))
    expect(answers.at(-1)).toBe('200 two')
    expect(isAlive(old)).toBe(false)
  })

  it('keeps the old process when `cleanup_old` is false', async () => {
    const old = nasiko.agent(id).pid

    await update({ file: zipped(agentFiles('two')), update_strategy: 'blue-green', cleanup_old: 'false' })
    await nasiko.agent(id).settled

    expect(await answer()).toMatchObject({ text: 'two' })
    expect(nasiko.agent(id).kept).toEqual(['1.0.0'])
    expect(isAlive(old)).toBe(true)
  })
})

describe('rollback', () => {
  beforeEach(async () => {
    await serve()
    await update({ file: zipped(agentFiles('two')), version: 'minor' })
    await nasiko.agent(id).settled
  })

  // Columns: the body.
  it.each([[{}], [{ target_version: '1.0.0', cleanup_failed: true, reason: 'too slow' }], [{ target_version: null }]])(
    'with %j goes back to the version before, and answers when it serves',
    async (body) => {
      const reply = await rollback(body)

      expect(reply.status).toBe(200)
      expect(reply.body['data']).toMatchObject({
        ...{ rolled_back_to: '1.0.0', rolled_back_from: '1.1.0', status: 'running', status_code: 200 },
      })
      expect(await answer()).toEqual({ text: 'one', version: '1.0.0', status: 200 })
      expect(nasiko.agent(id)).toMatchObject({ current: '1.0.0', rollbacks: 1 })
      expect(await uploadState()).toBe('Active')
    },
  )

  // Columns: the body as sent, the status, a word of the reason.
  it.each([
    ['', 422, 'Field required'],
    ['[]', 422, 'Field required'],
    ['{"target_version": 1}', 422, 'valid string'],
    ['{"version": "1.0.0"}', 422, 'Extra inputs'],
    ['{"target_version": "9.9.9"}', 400, 'Version 9.9.9 not found'],
  ])('refuses the body %s', async (body, status, word) => {
    const reply = await call('POST', `/api/v1/agents/${id}/rollback`, { body, type: 'application/json' })

    expect(reply.status).toBe(status)
    expect(JSON.stringify(reply.body)).toContain(word)
    expect(nasiko.agent(id)).toMatchObject({ rollbacks: 0, serving: '1.1.0' })
  })

  it('waits for the update before it, and leaves one active version', async () => {
    await update({ file: zipped(agentFiles('three')) })
    await rollback({ target_version: '1.0.0' })

    expect(nasiko.agent(id).versions).toEqual([
      { version: '1.0.0', status: 'active' },
      { version: '1.1.0', status: 'archived' },
      { version: '1.1.1', status: 'failed' },
    ])
    expect(await answer()).toMatchObject({ text: 'one' })
  })

  it('breaks with HTTP 500 without a target, as the published server does', async () => {
    nasiko.setProfile(observed)

    const reply = await rollback({})

    expect(reply.status).toBe(500)
    expect(nasiko.agent(id)).toMatchObject({ rollbacks: 0, current: '1.1.0' })
  })

  it('flips the registry at once and leaves the upload record hanging, as the published server does', async () => {
    nasiko.setProfile(observed)

    const { body } = await rollback({ target_version: '1.0.0', reason: 'too slow' })
    const { current, serving, settled } = nasiko.agent(id)
    await settled

    expect(body).toMatchObject({ status: 'rolling_back', status_code: 202 })
    expect([current, serving]).toEqual(['1.0.0', '1.1.0'])
    expect(nasiko.agent(id)).toMatchObject({ serving: '1.0.0' })
    expect(nasiko.agent(id).versions).toEqual([
      { version: '1.0.0', status: 'active' },
      { version: '1.1.0', status: 'failed' },
    ])
    expect(nasiko.agent(id).rollbackReasonOf('1.1.0')).toBe('too slow')
    expect(await uploadState()).toBe('Setting Up')
  })
})

describe('reads', () => {
  beforeEach(register)

  it('lists versions flat, with what can be gone back to', async () => {
    nasiko.setProfile({ registryFlips: 'at-once' })
    await update({ file: zipped(agentFiles('two')) })
    await nasiko.agent(id).settled

    const { body } = await call('GET', `/api/v1/agents/${id}/versions`)

    expect(body).toMatchObject({ agent_id: id, current_version: '1.0.1', status_code: 200 })
    expect(body['versions']).toMatchObject([
      { version: '1.0.0', status: 'archived', build_ids: [], rollback_info: null },
      { version: '1.0.1', status: 'active', rollback_info: { can_rollback: true, previous_version: '1.0.0' } },
    ])
  })

  // Columns: the address, with or without a token, the status.
  it.each([
    ['/api/v1/agents/nobody/versions', undefined, 404],
    ['/api/v1/registry/agent/id/agent-1', undefined, 200],
    ['/api/v1/registry/agent/id/agent-1', '', 403],
    ['/api/v1/registry/agent/id/nobody', undefined, 404],
    ['/api/v1/registry/agent/name/bot', '', 200],
    ['/api/v1/registry/agent/name/nobody', '', 404],
    ['/api/v1/user/upload-agents?limit=0', undefined, 422],
    ['/api/v1/healthcheck', '', 200],
    ['/api/v1/agents/agent-1/nothing', undefined, 404],
  ])('answers %s (token: %s) with %i', async (path, auth, status) => {
    const reply = await call('GET', path, auth === undefined ? {} : { auth })

    expect(reply.status).toBe(status)
  })

  it('names the address of an agent, and lists uploads to their owner only', async () => {
    const { body } = await call('GET', '/api/v1/registry/agent/id/agent-1')
    const stranger = nasiko.addAccount('bob').token
    const uploads = await call('GET', '/api/v1/user/upload-agents', { auth: `Bearer ${stranger}` })

    expect(body['data']).toMatchObject({ id, name: 'bot', version: '1.0.0', url: nasiko.agentUrl(id) })
    expect(uploads.body['data']).toEqual([])
  })

  it('notes addresses that Nasiko does not have', async () => {
    await call('GET', '/api/v2/agents')

    expect(nasiko.violations).toEqual(['GET /api/v2/agents'])
  })
})

describe('an agent from GitHub', () => {
  it('is cloned at the head of its branch when no file is sent, and no longer after an update that failed', async () => {
    const repository = join(folder.path, 'repository')
    mkdirSync(repository)
    const commit = commitTree(repository, agentFiles('from git'))
    const github = { cloneUrl: `file://${repository}`, branch: 'main' }
    id = await nasiko.addAgent({ owner: 'ada', name: 'cloned', github, seed: join(folder.path, 'seed') })

    const first = await update({ version: 'minor' })
    await nasiko.agent(id).settled
    const answered = await answer()
    await update({ file: { file: Buffer.from('no zip'), name: 'x.zip' } })
    const second = await update({ version: 'minor' })

    expect(first.status).toBe(200)
    expect(answered).toEqual({ text: 'from git', version: '1.1.0', status: 200 })
    const listed = await call('GET', `/api/v1/agents/${id}/versions`)
    expect(listed.body['versions']).toMatchObject([{}, { git_commit: commit }])
    expect(second).toMatchObject({ status: 400 })
    expect(JSON.stringify(second.body)).toContain('not originally sourced from GitHub')
  })
})

describe('processes', () => {
  beforeEach(serve)

  it('end with close()', async () => {
    const { pid } = nasiko.agent(id)

    await nasiko.close()

    expect(isAlive(pid)).toBe(false)
  })

  it('end when the sandbox is killed and can’t say goodbye', async () => {
    const script = `
      import { startNasiko } from ${JSON.stringify(join(import.meta.dirname, '../../app/sandbox/nasiko/server.ts'))}
      const nasiko = await startNasiko({ root: ${JSON.stringify(join(folder.path, 'other'))}, buildMs: 0 })
      nasiko.addAccount('ada')
      const id = await nasiko.addAgent({ owner: 'ada', name: 'x', seed: ${JSON.stringify(join(folder.path, 'seed'))} })
      console.log(nasiko.agent(id).pid)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
    expect(isAlive(pid)).toBe(true)

    child.kill('SIGKILL')

    for (let looks = 0; looks < 100 && isAlive(pid); looks++) await sleep(20)
    expect(isAlive(pid)).toBe(false)
  })
})

describe('the sample agents', () => {
  it('are those that the config file of the samples names', () => {
    const text = readFileSync(samplePath('.github/agents.yml'), 'utf8')
    const { agents } = parseConfig(text, { path: 'agents.yml', platforms: [platform as Platform] })

    expect(agents.map(({ name, id, path }) => ({ name, id, path }))).toEqual(
      sampleAgents.map(({ name, id, path }) => ({ name, id, path })),
    )
    expect(agents.find(({ name }) => name === 'support')?.deploy.strategy).toBe('blue-green')
  })

  const python = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, 'python3')))

  it.each(['support', 'search'])(
    '%s keeps Nasiko’s rules and answers, or the sandbox says what is missing',
    async (name) => {
      const adding = nasiko.addAgent({ owner: 'ada', name, seed: samplePath(`agents/${name}`) })
      const needsPython = sampleAgents.find((sample) => sample.name === name)?.needs === 'python'
      if (needsPython && !python) return await expect(adding).rejects.toThrow('there is no "python" on this machine')
      id = await adding

      expect(await answer('/health')).toMatchObject({ version: '1.0.0', status: 200 })
      expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(`"${name}"`) })
      expect((await answer('/nothing')).status).toBe(404)
    },
  )
})
