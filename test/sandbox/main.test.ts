import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openAsBlob, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { git, gitRemote, temporaryFolder } from '../support/repository.ts'

const main = join(import.meta.dirname, '../../app/sandbox/main.ts')
// Processes are started: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: ReturnType<typeof temporaryFolder>
let child: ChildProcess | undefined
let output: string

beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder.path, 'tmp'))
  output = ''
})

afterEach(() => {
  child?.kill('SIGKILL')
  folder.remove()
})

function start(...words: readonly string[]): ChildProcess {
  const env = { ...process.env, TMPDIR: join(folder.path, 'tmp') }
  const started = spawn(process.execPath, [main, ...words], { env })
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  child = started
  return started
}

async function said(started: ChildProcess, words: string): Promise<void> {
  while (!output.includes(words)) {
    if (started.exitCode !== null) throw new Error(output)
    await Promise.race([once(started.stdout ?? started, 'data'), once(started, 'exit')])
  }
}

/** A fact that is printed, of the first server or of the one that is named. */
const fact = (name: string, server = '') =>
  new RegExp(`^  ${name} +(\\S+)`, 'm').exec(output.slice(output.indexOf(server)))?.[1] ?? ''
/** Where the agent of a server is read: the first address that a try asks with a token. */
const addressIn = (server: string) =>
  /curl (\S+)(?: \S*versions)? -H "auth/.exec(output.slice(output.indexOf(server)))?.[1]?.replace(/\/versions$/, '') ??
  ''

it('starts everything on free ports, as it says, and leaves nothing behind after Ctrl-C', async () => {
  const started = start()
  await said(started, 'Ctrl-C ends it.')
  const agent = await fetch(fact('agent agent-search'))
  const clone = /git clone (\S+)/.exec(output)?.[1] ?? ''
  await gitRemote(folder.path, 'clone', '-q', clone)
  const zip = join(folder.path, 'search.zip')
  git(join(folder.path, 'agents'), 'archive', '--format=zip', '-o', zip, 'HEAD:agents/search')
  const form = new FormData()
  form.set('file', await openAsBlob(zip), 'search.zip')
  const headers = { authorization: `Bearer ${fact('NASIKO_TOKEN')}` }
  const update = `${fact('NASIKO_BASE_URL')}/api/v1/agents/agent-search/update`
  const updated = await fetch(update, { method: 'PUT', body: form, headers })
  const read = async (address: string, token: string) => {
    const reply = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
    return (await reply.json()) as Record<string, unknown>
  }
  const second = read(addressIn('Nasiko, second'), fact('NASIKO_TOKEN', 'Nasiko, second'))
  const invoices = read(addressIn('Nanonets'), fact('NANONETS_API_KEY'))
  const concierge = read(addressIn('Qoder'), fact('QODER_PAT'))
  const support = read(addressIn('Nullspace'), fact('NULLSPACE_API_KEY'))
  const configured = await Promise.all([second, invoices, concierge, support])

  started.kill('SIGINT')
  const [code] = (await once(started, 'exit')) as [number | null]

  expect(configured).toMatchObject([
    { data: { name: 'search' } },
    { name: 'invoices', status: 'published' },
    { name: 'concierge', version: 1 },
    { name: 'support', mode: 'service' },
  ])
  expect(agent.headers.get('x-agent-version')).toBe('1.0.0')
  expect(await updated.json()).toMatchObject({ data: { new_version: '1.0.1' } })
  expect(git(join(folder.path, 'agents'), 'ls-files')).toContain('.github/agents.yml')
  expect(code).toBe(0)
  await expect(fetch(fact('NASIKO_BASE_URL'))).rejects.toThrow('fetch failed')
  expect(readdirSync(join(folder.path, 'tmp'))).toEqual([])
})

// Columns: the arguments, the exit code, a word of what is said.
it.each([
  [['--help'], 0, 'Usage: npm run sandbox'],
  [['--port', 'x'], 2, 'The port "x" is none'],
  [['--bort', '1'], 2, "Unknown option '--bort'"],
  [['--profile', 'odd'], 2, 'There is no profile "odd"; use one of nasiko-observed'],
])('with %j ends with %i and says what is to be known', async (words, wanted, said) => {
  const [code] = (await once(start(...words), 'close')) as [number | null]

  expect(code).toBe(wanted)
  expect(output).toContain(said)
})

it('plays a platform as it is asked to', async () => {
  const started = start('--profile', 'nasiko-observed', '--profile', 'qoder-newest')
  await said(started, 'Ctrl-C ends it.')
  const unknown = await fetch(`${fact('NASIKO_BASE_URL')}/api/v1/agents/nobody/rollback`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fact('NASIKO_TOKEN')}`, 'content-type': 'application/json' },
    body: '{"target_version": "1.0.0"}',
  })
  const put = await fetch(addressIn('Qoder'), {
    method: 'PUT',
    headers: { authorization: `Bearer ${fact('QODER_PAT')}` },
  })

  // Its documents say 404 and PUT.
  expect([unknown.status, put.status]).toEqual([500, 405])
})

it('says when a port is taken, and ends', async () => {
  const first = start()
  await said(first, 'Ctrl-C ends it.')
  const taken = new URL(fact('NASIKO_BASE_URL')).port
  output = ''

  const second = start('--port', String(Number(taken) - 1))
  const [code] = (await once(second, 'close')) as [number | null]
  first.kill('SIGKILL')

  expect(code).toBe(1)
  expect(output).toContain('could not be started')
})
