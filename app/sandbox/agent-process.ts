import { type ChildProcess, fork, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** Runs agents as processes of this machine, each in a group of its own, for emulated platforms. */
export interface Processes {
  /** Begins the command, whatever becomes of it. Throws an Error where the machine has no such program. */
  run(agent: AgentCommand): Promise<AgentProcess>
  /** Resolves when the agent's port is open. Throws an Error whose message says why it never was. */
  start(agent: AgentCommand & { readonly startTimeoutMs: number }): Promise<AgentProcess>
  /** Ends all of them. */
  close(): Promise<void>
}

export interface AgentCommand {
  readonly folder: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface AgentProcess {
  readonly pid: number
  /** Given to it as PORT. */
  readonly port: number
  /** How it ended, in words; undefined for success. Never rejects. */
  readonly ended: Promise<string | undefined>
  /** Its last words. */
  output(): string
  stop(): Promise<void>
}

/** A process that asks nobody to wait is ended after this. */
const graceMs = 2000
const portPollMs = 20
/** The last words of a process that failed: enough for a traceback. */
const keptOutput = 4000

export function createProcesses(): Processes {
  const running = new Set<AgentProcess>()
  let keeper: ChildProcess | undefined
  let closed = false

  /** Started with the first agent; unreferenced, so that it holds nobody up. */
  function tell(message: { started?: number; ended?: number }): void {
    keeper ??= startKeeper()
    // One that was ended by somebody else is missed only by those who can't say goodbye.
    if (keeper.connected) keeper.send(message, () => undefined)
  }

  async function run(agent: AgentCommand): Promise<AgentProcess> {
    const port = await freePort()
    if (closed) throw new Error('the sandbox is being closed')
    const child = spawnAgent(agent, port)
    const failure = new Promise<Error>((resolve) => child.once('error', resolve))
    const pid = child.pid
    if (pid === undefined)
      throw new Error(`"${agent.command.join(' ')}" could not be started: ${(await failure).message}`)
    tell({ started: pid })
    const ended = new Promise<string | undefined>((resolve) =>
      child.once('exit', (code, signal) => resolve(wordsOf(code, signal))),
    )
    const process: AgentProcess = {
      pid,
      port,
      ended,
      output: lastWords(child),
      async stop() {
        running.delete(process)
        await end(pid, ended)
        tell({ ended: pid })
      },
    }
    running.add(process)
    return process
  }

  async function start(agent: Parameters<Processes['start']>[0]): Promise<AgentProcess> {
    const process = await run(agent)
    const problem = await waitForPort(process, agent.startTimeoutMs)
    if (problem === undefined) return process
    await process.stop()
    throw new Error([`"${agent.command.join(' ')}" ${problem}`, process.output()].filter(Boolean).join(': '))
  }

  return {
    run,
    start,
    async close() {
      closed = true
      await Promise.all([...running].map((process) => process.stop()))
      if (keeper?.connected) keeper.disconnect()
    },
  }
}

function startKeeper(): ChildProcess {
  const keeper = fork(new URL('./keeper.ts', import.meta.url), { stdio: 'ignore', detached: true, execArgv: [] })
  keeper.unref()
  keeper.channel?.unref()
  return keeper
}

function spawnAgent({ folder, command, env }: AgentCommand, port: number): ChildProcess {
  const [program = '', ...args] = command
  // Nothing of this process's environment but what is needed to find programs: agents get no credential of ours.
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' }
  return spawn(executableOf(program), args, {
    cwd: folder,
    env: { ...inherited, PYTHONUNBUFFERED: '1', ...env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

/** `node` is the one that runs the sandbox. Throws where the machine has no such program. */
function executableOf(program: string): string {
  if (program === 'node') return process.execPath
  if (program.startsWith('/')) return program
  const names = program === 'python' || program === 'python3' ? ['python3', 'python'] : [program]
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
  if (found !== undefined) return found
  throw new Error(`there is no "${program}" on this machine, which the agent is started with`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function lastWords(child: ChildProcess): () => string {
  let text = ''
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-keptOutput)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => text.trim()
}

function wordsOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined
  return code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
}

/** What went wrong; undefined once the port is open. */
async function waitForPort({ port, ended }: AgentProcess, timeoutMs: number): Promise<string | undefined> {
  let words: string | undefined
  void ended.then((how) => (words = how ?? 'ended with exit code 0'))
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(portPollMs)) {
    if (words !== undefined) return `${words} before it listened`
    if (await isOpen(port)) return undefined
  }
  return `did not listen on port ${port} (given as PORT) within ${timeoutMs / 1000} s`
}

/** Whether somebody listens there. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function end(pid: number, ended: Promise<unknown>): Promise<void> {
  signalGroup(pid, 'SIGTERM')
  const patience = new AbortController()
  await Promise.race([ended, sleep(graceMs, undefined, { signal: patience.signal }).catch(() => undefined)])
  patience.abort()
  // Also for what the agent itself has started and left behind.
  signalGroup(pid, 'SIGKILL')
  await ended
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}
