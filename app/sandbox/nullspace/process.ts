import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'

/** A command of an agent as a process of this machine, in a group of its own. */
export interface AgentProcess {
  readonly pid: number
  readonly port: number
  /** How it ended, in words; undefined for success. Never rejects. */
  readonly ended: Promise<string | undefined>
  /** Its last words. */
  output(): string
  stop(): Promise<void>
}

/** A process that does not end when asked to is killed after this. */
const graceMs = 2000
const keptOutput = 4000

export async function startProcess(command: {
  folder: string
  shell: string
  env: Readonly<Record<string, string>>
}): Promise<AgentProcess> {
  const port = await freePort()
  // Of our own environment only what is needed to find programs: agents get no credential of ours.
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: command.folder }
  const child = spawn('/bin/sh', ['-c', command.shell], {
    cwd: command.folder,
    env: { ...inherited, PYTHONUNBUFFERED: '1', ...command.env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = lastWords(child)
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(wordsOf(code, signal)))
  })
  const pid = child.pid ?? 0
  return {
    pid,
    port,
    ended,
    output,
    async stop() {
      signalGroup(pid, 'SIGTERM')
      const patience = new AbortController()
      await Promise.race([ended, sleep(graceMs, undefined, { signal: patience.signal }).catch(() => undefined)])
      patience.abort()
      // Also for what the agent itself has started and left behind.
      signalGroup(pid, 'SIGKILL')
      await ended
    },
  }
}

function wordsOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined
  return code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
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

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid === 0) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}
