import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { ensureDebianPackage } from './debian.ts'
import { freePort } from '../../app/sandbox/free-port.ts'

const run = promisify(execFile)

/** Where Debian keeps the programs of a server; the newest version first. */
function programs(): string | undefined {
  const found = globSync('/usr/lib/postgresql/*/bin').filter((path) => existsSync(join(path, 'initdb')))
  return found.sort((a, b) => Number(b.split('/')[4]) - Number(a.split('/')[4]))[0]
}

/** Why there can be no PostgreSQL here; undefined when there is one. In CI it throws instead. */
export const missingPostgres = await ensureDebianPackage('postgresql', () => programs() !== undefined)

export type TestPostgres = Awaited<ReturnType<typeof startPostgres>>

/** A PostgreSQL of its own on a free loopback port, with its own data directory, gone when it is closed. */
export async function startPostgres() {
  const bin = programs() ?? ''
  const folder = await mkdtemp(join(tmpdir(), 'agent-deploy-postgres-'))
  const data = join(folder, 'data')
  const user = await serverUser()
  if (user) {
    await chown(folder, user.uid, user.gid)
    await chmod(folder, 0o700)
  }
  const as = (program: string, ...words: string[]): [string, string[]] =>
    user ? ['/usr/sbin/runuser', ['-u', user.name, '--', join(bin, program), ...words]] : [join(bin, program), words]
  const spawnServer = (words: string[]) => {
    const [command, all] = as('postgres', ...words)
    return spawn(command, all, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
  }
  const call = async (program: string, ...words: string[]) => {
    const [command, all] = as(program, ...words)
    await run(command, all, { cwd: '/' })
  }
  await call('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
  const port = await freePort()
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`]
    const words = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
    const server = spawnServer(words)
    child = server
    // Whatever ends this process, its server does not stay behind.
    const end = () => void server.kill()
    process.once('exit', end)
    server.once('close', () => process.off('exit', end))
    let log = ''
    server.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
    while (!(await answers(port))) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${log}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** As a power cut would, for whoever is connected. */
  async function stop(mode: 'immediate' | 'fast' = 'immediate'): Promise<void> {
    if (!child || child.exitCode !== null) return
    const closed = once(child, 'close')
    await call('pg_ctl', '-D', data, '-m', mode, 'stop')
    await closed
    child = undefined
  }

  await start()
  return {
    urlOf: (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    async createDatabase(name: string): Promise<string> {
      await query(`postgres://postgres@127.0.0.1:${port}/postgres`, `CREATE DATABASE ${name}`)
      return `postgres://postgres@127.0.0.1:${port}/${name}`
    },
    start,
    stop,
    async close(): Promise<void> {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=agent_deploy' })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** PostgreSQL refuses to run as root. */
async function serverUser(): Promise<{ name: string; uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const name = 'postgres'
  const id = async (flag: string) => Number((await run('id', [flag, name])).stdout)
  return { name, uid: await id('-u'), gid: await id('-g') }
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  client.on('error', () => undefined)
  const connected = await client.connect().then(
    () => true,
    () => false,
  )
  await client.end().catch(() => undefined)
  return connected
}
