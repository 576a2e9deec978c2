import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { documented, type NasikoProfile, observed } from '../../app/sandbox/nasiko/profile.ts'
import { type SandboxNasiko, startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { deploy } from '../../src/deploy.ts'
import type { Io } from '../../src/io.ts'
import { nasiko as platform } from '../../src/platforms/nasiko/nasiko.ts'
import { judge, newestFirst, type Seen } from '../../src/platforms/nasiko/progress.ts'
import { inspectZip } from '../../src/platforms/nasiko/zip-rules.ts'
import type { ShippedFile } from '../../src/platforms/bundle-rules.ts'
import type { Platform, Ticket } from '../../src/platforms/platform.ts'
import type { DeployRequest, RollbackRequest } from '../../src/request.ts'
import { rollback } from '../../src/rollback.ts'
import { arrayLog, hastenedClock, testIo } from '../support/io.ts'
import { agentFiles } from '../support/nasiko.ts'
import { commitTree, git, temporaryFolder, writeTree } from '../support/repository.ts'

// Processes are started: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: ReturnType<typeof temporaryFolder>
let nasiko: SandboxNasiko
let credentials: Record<string, string>
let ada: ReturnType<SandboxNasiko['addAccount']>
let log: ReturnType<typeof arrayLog>

beforeEach(async () => {
  folder = temporaryFolder()
  log = arrayLog()
  nasiko = await startNasiko({ root: join(folder.path, 'nasiko'), buildMs: 0, startTimeoutMs: 3000 })
  ada = nasiko.addAccount('ada')
  credentials = { NASIKO_TOKEN: ada.token }
  writeTree(join(folder.path, 'seed'), agentFiles('one'))
  mkdirSync(join(folder.path, 'scratch'))
  mkdirSync(join(folder.path, 'source'))
})

afterEach(async () => {
  expect(nasiko.violations).toEqual([])
  await nasiko.close()
  folder.remove()
})

const addAgent = () => nasiko.addAgent({ owner: 'ada', name: 'bot', id: 'agent-1', seed: join(folder.path, 'seed') })

interface Given {
  readonly id?: string
  /** Lines of the agent's entry. */
  readonly lines?: readonly string[]
}

function requestOf({ id = 'agent-1', lines = [] }: Given) {
  const text = [
    'version: 1',
    'agents:',
    '  bot:',
    ...[`id: ${id}`, 'platform: nasiko', 'path: .', 'verify: { path: /health }', ...lines].map((line) => `    ${line}`),
  ].join('\n')
  const config = parseConfig(text, { path: 'agents.yml', platforms: [platform as Platform] })
  const trigger = { kind: 'manual', actor: 'ada', ref: undefined, url: undefined, id: 'run-1' } as const
  const connect = () => ({ name: 'c', platform: 'nasiko', baseUrl: `${nasiko.url}/`, credentials })
  return { config, agents: ['bot'], trigger, dryRun: false, wait: true, connect }
}

function ioOf(files: Readonly<Record<string, string>>): Io {
  const root = join(folder.path, 'source')
  writeTree(root, files)
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return testIo({
    log,
    fetch,
    clock: hastenedClock(),
    scratch: join(folder.path, 'scratch'),
    source: {
      readFile: async () => undefined,
      history: async ({ from, to }) => ({ from, to, commits: [], relation: 'unknown-base', source: 'complete' }),
      checkout: async () => ({ root, files: paths.map(({ name }) => ({ path: name, state: 'tracked' })) }),
    },
  })
}

async function ship(files: Readonly<Record<string, string>>, given: Given & { commit?: string } = {}) {
  const request: DeployRequest = { ...requestOf(given), commit: given.commit ?? 'c'.repeat(40) }
  const [outcome] = await deploy(request, ioOf(files))
  return outcome
}

async function goBack(to: RollbackRequest['to'] = { kind: 'previous' }, given: Given = {}) {
  const base = { head: 'c'.repeat(40), reason: 'too slow', cleanupFailed: true }
  const [outcome] = await rollback({ ...requestOf(given), ...base, to }, ioOf({}))
  return outcome
}

async function answer() {
  const reply = await fetch(nasiko.agentUrl('agent-1'))
  return `${reply.headers.get('x-agent-version')} ${await reply.text()}`
}

const sent = (method: string) => nasiko.requests.filter((request) => request.method === method).map(({ path }) => path)
const crashing = { ...agentFiles('x'), 'server.mjs': 'throw new Error("no model configured")' }

/** There is no GitHub in these tests. */
const unrecorded = 'No GitHub token: this run is not recorded, and can’t be found by a rollback.'

/** Each quirk alone, and all of them together. */
const profiles: [string, Partial<NasikoProfile>][] = [
  ['the documents', documented],
  ['the published source', observed],
  ...Object.entries(observed).map(([quirk, value]): [string, Partial<NasikoProfile>] => [
    `the documents, but ${quirk} is ${value}`,
    { [quirk]: value },
  ]),
]

describe.each(profiles)('as %s', (_, profile) => {
  beforeEach(async () => {
    await addAgent()
    nasiko.setProfile(profile)
  })

  it('deploys, verifies, and rolls back with an explicit target', async () => {
    const deployed = await ship(agentFiles('two'), { lines: ['deploy: { strategy: blue-green }'] })
    const served = await answer()
    const back = await goBack({ kind: 'version', version: '1.0.0' })

    expect(deployed).toMatchObject({
      ...{ decision: 'deployed', releaseVersion: '1.0.1', platformVersion: '1.0.1', previousVersion: '1.0.0' },
      ...{ url: nasiko.agentUrl('agent-1'), warnings: [unrecorded] },
    })
    expect(served).toBe('1.0.1 two')
    expect(nasiko.agent('agent-1').digestOf('1.0.1')).toBe(deployed?.digest)
    expect(back).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0' })
    expect(await answer()).toBe('1.0.0 one')
    expect(nasiko.agent('agent-1')).toMatchObject({ updates: 1, rollbacks: 1 })
  })

  it('finds that a build failed, and that the old version serves', async () => {
    const outcome = await ship(crashing)

    expect(outcome).toMatchObject({ decision: 'failed', code: 'build-failed', restoredVersion: '1.0.0' })
    expect(outcome?.message).toContain('no model configured')
    expect(await answer()).toBe('1.0.0 one')
  })

  it('says that an agent is not known', async () => {
    const outcome = await ship(agentFiles('two'), { id: 'nobody' })

    expect(outcome).toMatchObject({ decision: 'failed', code: 'agent-not-found' })
    expect(outcome?.message).toContain('"nobody"')
  })
})

describe('a reply that is lost', () => {
  beforeEach(addAgent)

  // Columns: the verb, what happens to its first request.
  it.each(['reset-before', 'reset-during', 'reset-after', 'truncated', 'html'] as const)(
    'does not make a second update (%s)',
    async (kind) => {
      nasiko.fault({ method: 'PUT', kind })

      const outcome = await ship(agentFiles('two'))

      expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1', buildId: expect.any(String) })
      expect(nasiko.agent('agent-1').updates).toBe(1)
    },
  )

  it.each(['reset-before', 'reset-after', 'truncated'] as const)(
    'does not make a second rollback (%s)',
    async (kind) => {
      await ship(agentFiles('two'))
      nasiko.fault({ method: 'POST', path: /rollback$/, kind })

      const outcome = await goBack({ kind: 'version', version: '1.0.0' })

      expect(outcome).toMatchObject({ decision: 'rolled-back' })
      expect(nasiko.agent('agent-1').rollbacks).toBe(1)
      expect(await answer()).toBe('1.0.0 one')
    },
  )

  it('is found again where the number was used before', async () => {
    await ship(agentFiles('two'))
    await goBack({ kind: 'version', version: '1.0.0' })
    nasiko.fault({ method: 'PUT', kind: 'reset-after' })

    const outcome = await ship(agentFiles('three'))

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1' })
    expect(await answer()).toBe('1.0.1 three')
    expect(nasiko.agent('agent-1').updates).toBe(2)
  })
})

describe('credentials', () => {
  beforeEach(addAgent)

  it('says what to renew when the token is not accepted, and changes nothing', async () => {
    nasiko.expireTokens()

    const outcome = await ship(agentFiles('two'))

    expect(outcome).toMatchObject({
      decision: 'failed',
      code: 'unauthorized',
      help: expect.stringContaining('NASIKO_TOKEN'),
    })
    expect(sent('PUT')).toEqual([])
  })

  it('logs in once with key and secret for a whole deploy', async () => {
    credentials = { NASIKO_ACCESS_KEY: ada.accessKey, NASIKO_ACCESS_SECRET: ada.accessSecret }

    const outcome = await ship(agentFiles('two'))

    expect(outcome).toMatchObject({ decision: 'deployed' })
    expect(sent('POST')).toEqual(['/auth/users/login'])
  })

  it('logs in once more when its token expires on the way', async () => {
    credentials = { NASIKO_ACCESS_KEY: ada.accessKey, NASIKO_ACCESS_SECRET: ada.accessSecret }
    nasiko.fault({ method: 'PUT', kind: 'status', status: 401, body: { detail: 'Token expired' } })

    const outcome = await ship(agentFiles('two'))

    expect(outcome).toMatchObject({ decision: 'deployed' })
    expect(sent('POST')).toHaveLength(2)
    expect(nasiko.agent('agent-1').updates).toBe(1)
  })

  it('gives up when a fresh token is refused too', async () => {
    credentials = { NASIKO_ACCESS_KEY: ada.accessKey, NASIKO_ACCESS_SECRET: ada.accessSecret }
    nasiko.fault({ method: 'PUT', kind: 'status', status: 401, times: 2, body: { detail: 'Token expired' } })

    const outcome = await ship(agentFiles('two'))

    expect(outcome).toMatchObject({ decision: 'failed', code: 'unauthorized' })
    expect(sent('PUT')).toHaveLength(2)
  })

  it('tries a login that failed in passing again', async () => {
    credentials = { NASIKO_ACCESS_KEY: ada.accessKey, NASIKO_ACCESS_SECRET: ada.accessSecret }
    nasiko.fault({ method: 'POST', kind: 'status', status: 503 })

    expect(await ship(agentFiles('two'))).toMatchObject({ decision: 'deployed' })
  })

  it('never says the secret of a login that is refused', async () => {
    credentials = { NASIKO_ACCESS_KEY: ada.accessKey, NASIKO_ACCESS_SECRET: 'wr0ng-s3cret' }

    const outcome = await ship(agentFiles('two'))

    expect(outcome).toMatchObject({ decision: 'failed', code: 'unauthorized' })
    expect(JSON.stringify([outcome, log.lines])).not.toContain('wr0ng-s3cret')
  })
})

describe('versions', () => {
  beforeEach(addAgent)

  it('asks for an exact version and gets it', async () => {
    const outcome = await ship(agentFiles('two'), { lines: ['version: 3.0.0'] })

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '3.0.0', warnings: [unrecorded] })
  })

  it('warns when the server ignores an exact version', async () => {
    nasiko.setProfile({ exactVersions: 'ignored' })

    const outcome = await ship(agentFiles('two'), { lines: ['version: 3.0.0'] })

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1' })
    expect(outcome?.warnings).toEqual([unrecorded, 'Nasiko made it 1.0.1, not 3.0.0 as asked for.'])
  })

  it('sends the description only where the settings say so', async () => {
    nasiko.setProfile({ description: 'accepted' })

    await ship(agentFiles('two'))
    await ship(agentFiles('three'), { lines: ['settings: { send-description: true }'] })

    const agent = nasiko.agent('agent-1')
    expect(agent.descriptionOf('1.0.1')).toBeUndefined()
    expect(agent.descriptionOf('1.0.2')).toBe(`${'c'.repeat(40)} manual by ada`)
  })
})

describe('an agent that Nasiko clones itself', () => {
  const lines = ['settings: { source: github }']

  it('is updated without a file', async () => {
    const repository = join(folder.path, 'repository')
    mkdirSync(repository)
    commitTree(repository, agentFiles('from git'))
    const github = { cloneUrl: `file://${repository}`, branch: 'main' }
    await nasiko.addAgent({ owner: 'ada', name: 'bot', id: 'agent-1', github, seed: join(folder.path, 'seed') })

    const outcome = await ship({}, { lines, commit: git(repository, 'rev-parse', 'HEAD') })

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1' })
    expect(outcome).not.toHaveProperty('digest')
    expect(await answer()).toBe('1.0.1 from git')
  })

  // Columns: how refusals come.
  it.each([['http'], ['body']] as const)('is refused where it has another source (%s)', async (refusals) => {
    await addAgent()
    nasiko.setProfile({ refusals })

    const outcome = await ship({}, { lines })

    expect(outcome).toMatchObject({ decision: 'failed', code: 'platform-rejected' })
    expect(outcome?.message).toContain('not originally sourced from GitHub')
    expect(nasiko.agent('agent-1').updates).toBe(0)
  })
})

describe('what Nasiko would refuse', () => {
  beforeEach(addAgent)

  it('is refused before anything is uploaded', async () => {
    const { Dockerfile: _left, ...files } = agentFiles('two')

    const outcome = await ship(files)

    expect(outcome).toMatchObject({ decision: 'refused', code: 'bundle-invalid' })
    expect(sent('PUT')).toEqual([])
  })

  it('is told as Nasiko tells it when it comes through all the same', async () => {
    nasiko.setProfile({ refusals: 'body', envelope: false })

    const outcome = await ship({ ...agentFiles('two'), 'docker-compose.yml': 'services: [\n' })

    expect(outcome).toMatchObject({ decision: 'failed', code: 'platform-rejected' })
    expect(outcome?.message).toContain('Invalid docker-compose.yml')
  })
})

describe('inspectZip', () => {
  const inspect = (files: Readonly<Record<string, string>>) =>
    inspectZip(
      Object.entries(files).map(([path, text]): ShippedFile => ({ path, size: text.length, head: async () => text })),
    )

  it('has nothing to say about an agent that keeps the rules', async () => {
    expect(await inspect(agentFiles('x'))).toEqual([])
  })

  // Columns: what differs from a good agent, a word of the problem.
  it.each<[Record<string, string>, string]>([
    [{ Dockerfile: 'CMD ["node"]\n' }, 'no FROM line'],
    [{ 'docker-compose.yml': 'version: 3\n' }, 'no `services`'],
    [{ 'main.py': ' \n' }, '"main.py" is empty'],
    [{ 'a..b.txt': '' }, '"a..b.txt" has ".."'],
  ])('finds %j', async (over, word) => {
    expect(await inspect({ ...agentFiles('x'), ...over })).toEqual([expect.stringContaining(word)])
  })

  it('names every file that is missing', async () => {
    expect(await inspect({ 'readme.md': '' })).toHaveLength(3)
  })
})

describe('judge', () => {
  const deploying: Ticket = { operation: 'deploy', platformVersion: '1.1.0' }
  const back: Ticket = { ...deploying, operation: 'rollback' }
  const queued: Ticket = { ...back, state: { askedAt: '0', urlBefore: 'http://old' } }
  const record = (upload_status: string) => ({ upload_info: { upload_status } })

  // Columns: the ticket, the row's status, the upload record, the address now, the time, the verdict.
  it.each<[string, Ticket, string | undefined, string | undefined, string, number, string]>([
    ['no row yet', deploying, undefined, undefined, 'http://old', 0, 'working'],
    ['building', deploying, 'building', 'Setting Up', 'http://old', 0, 'working'],
    ['built', deploying, 'active', 'Active', 'http://old', 0, 'live'],
    ['no record to be seen', deploying, 'active', undefined, 'http://old', 0, 'live'],
    ['only the record says so', deploying, 'building', 'Failed', 'http://old', 0, 'failed'],
    ['the row says so', deploying, 'failed', 'Setting Up', 'http://old', 0, 'failed'],
    ['answered as done', back, 'active', 'Active', 'http://old', 0, 'live'],
    ['flipped, not picked up yet', queued, 'active', 'Active', 'http://old', 2999, 'working'],
    ['settled', queued, 'active', 'Active', 'http://old', 3000, 'live'],
    ['a record of the failure before', queued, 'active', 'Failed', 'http://old', 5000, 'working'],
    ['a record that stays failed', queued, 'active', 'Failed', 'http://old', 120_000, 'failed'],
    ['a record that may hang', queued, 'active', 'Setting Up', 'http://old', 119_999, 'working'],
    ['a record that hangs', queued, 'active', 'Setting Up', 'http://old', 120_000, 'live'],
    ['a new address', queued, 'active', 'Setting Up', 'http://new', 0, 'live'],
  ])('%s', (_, ticket, row, status, url, now, verdict) => {
    const seen: Seen = { row, upload: status === undefined ? undefined : record(status), url, now }

    expect(judge(ticket, seen).state).toBe(verdict)
  })
})

describe('newestFirst', () => {
  it('sorts by date, and leaves rows as listed where one has none', () => {
    const rows = [{ created_at: '2026-01-01T00:00:00Z' }, { created_at: '2026-01-02T00:00:00Z' }]

    expect(newestFirst(rows)).toEqual(rows.toReversed())
    expect(newestFirst([...rows, { created_at: null }])).toEqual([...rows, { created_at: null }])
  })
})
