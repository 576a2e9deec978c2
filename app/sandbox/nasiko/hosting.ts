import { mkdir } from 'node:fs/promises'
import { createProcesses, type AgentProcess, type Processes } from '../agent-process.ts'
import { type PlatformHandler, type PlatformReply, startPlatformServer } from '../platform-server.ts'
import type { Route, Upstream } from '../traffic.ts'
import { Refusal } from './reply.ts'

/** What both generations of Nasiko need to build agents, run them and pass traffic on to them. */
export interface Host {
  readonly root: string
  /** Set once the server listens. */
  url: string
  /** How long a build takes before the agent is started. */
  readonly buildMs: number
  /** How long an agent may take to open its port. */
  readonly startTimeoutMs: number
  /** Aborted when the sandbox is closed: nobody waits for builds then. */
  readonly closing: AbortController
  readonly processes: Processes
  readonly agents: ReadonlyMap<string, Hosted>
  /** Of the row made last, so that no two rows have the same. */
  lastTime: number
}

export interface Hosted {
  readonly id: string
  readonly route: Route
  live: Instance | undefined
  /** Old instances that `cleanup_old=false` left running. */
  readonly kept: Instance[]
  /** The end of what is queued: one build or rollback at a time. */
  queue: Promise<void>
}

export interface Built {
  readonly version: string
  /** Where its files lie; undefined for an agent that was added without any, and before they are unpacked. */
  readonly folder: string | undefined
}

export interface Instance {
  readonly version: Built
  readonly process: AgentProcess
  readonly upstream: Upstream
}

export interface HostOptions {
  readonly root: string
  readonly port?: number
  readonly buildMs?: number
  readonly startTimeoutMs?: number
}

/** Long enough to be seen, short enough not to be waited for. */
const defaultBuildMs = 300
const defaultStartTimeoutMs = 10_000

export async function createHost(options: HostOptions): Promise<Omit<Host, 'agents'>> {
  await mkdir(options.root, { recursive: true })
  return {
    root: options.root,
    url: '',
    buildMs: options.buildMs ?? defaultBuildMs,
    startTimeoutMs: options.startTimeoutMs ?? defaultStartTimeoutMs,
    closing: new AbortController(),
    processes: createProcesses(),
    lastTime: 0,
  }
}

/** Serves a generation's routes, and every agent as a process that answers below `<url>/agents/<id>/`. */
export async function serveHost<World extends Host>(
  world: World,
  given: {
    routes: Readonly<
      Record<string, (world: World, call: Parameters<PlatformHandler>[0]) => ReturnType<PlatformHandler>>
    >
    refuse: (status: number, message: string) => PlatformReply
    port: number | undefined
  },
) {
  const guarded = Object.entries(given.routes).map(([name, handle]): [string, PlatformHandler] => [
    name,
    async (call) => {
      try {
        return await handle(world, call)
      } catch (error) {
        if (error instanceof Refusal) return error.reply
        throw error
      }
    },
  ])
  const server = await startPlatformServer({
    routes: Object.fromEntries(guarded),
    refuse: given.refuse,
    pass: (request, response, url) => {
      const [, id, rest = '/'] = /^\/agents\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
      const agent = id === undefined ? undefined : world.agents.get(decodeURIComponent(id))
      if (!agent) return false
      agent.route.serve(request, response, `${rest}${url.search}`)
      return true
    },
    ...(given.port === undefined ? {} : { port: given.port }),
  })
  world.url = server.url
  return {
    ...server,
    async close(): Promise<void> {
      world.closing.abort()
      await Promise.all([server.close(), world.processes.close()])
      // Builds that were under way fail now, and are over before the files may go.
      await Promise.all([...world.agents.values()].map(({ queue }) => queue))
    },
  }
}

export function now(host: Pick<Host, 'lastTime'>): string {
  host.lastTime = Math.max(Date.now(), host.lastTime + 1)
  return new Date(host.lastTime).toISOString()
}

export function agentUrl(host: Pick<Host, 'url'>, id: string): string {
  return `${host.url}/agents/${encodeURIComponent(id)}`
}
