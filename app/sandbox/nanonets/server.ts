import { randomUUID } from 'node:crypto'
import type { Fault } from '../faults.ts'
import { startPlatformServer } from '../platform-server.ts'
import { apply, nanonetsRoutes, type Profile, refuse } from './routes.ts'
import { type Agent, createWorld, publishedRow } from './state.ts'

export type SandboxNanonets = Awaited<ReturnType<typeof startNanonets>>

/** What the documents say, read kindly. */
const documented: Profile = { groupIds: 'accepted', patchIsDraft: true, omitsStatus: false, ownWay: false }

/** Nanonets Agents on this machine: hot patches in place, versions by publishing, errors in its own form. */
export async function startNanonets(options: { port?: number; profile?: Partial<Profile> } = {}) {
  const world = createWorld()
  const server = await startPlatformServer({
    routes: nanonetsRoutes(world, { ...documented, ...options.profile }),
    refuse,
    ...(options.port === undefined ? {} : { port: options.port }),
  })

  function agentOf(id: string): Agent {
    const found = world.find(id)
    if (!found) throw new Error(`There is no agent ${id}`)
    return found
  }

  return {
    url: server.url,
    requests: server.requests,
    violations: server.violations,
    fault: (fault: Fault) => server.fault(fault),
    close: () => server.close(),

    /** A workspace of its own; returns its API key. */
    addWorkspace(): string {
      const key = `nano_${randomUUID().replaceAll('-', '')}`
      world.keys.set(key, randomUUID())
      return key
    },

    addAgent(given: {
      key: string
      name?: string
      config?: Readonly<Record<string, unknown>>
      status?: 'draft' | 'published'
    }): { id: string; group: string } {
      const workspace = world.keys.get(given.key)
      if (workspace === undefined) throw new Error('There is no workspace with that key')
      const { name = 'Agent', config = {}, status = 'published' } = given
      const { rows, group } = world.addAgent(workspace, { name, config: structuredClone(config), status })
      return { id: rows[0]?.id ?? '', group }
    },

    /** What runs, every version, and what took effect by the API, oldest first. */
    agent(id: string) {
      const { rows, effects } = agentOf(id)
      return structuredClone({ live: publishedRow(agentOf(id)), rows, effects })
    },

    /** Somebody edits the published version in the web app. */
    edit(id: string, changes: { name?: string; config?: Record<string, unknown>; is_active?: boolean }): void {
      const row = publishedRow(agentOf(id))
      if (!row) throw new Error(`The agent ${id} is not published`)
      apply(row, changes)
      row.updated_at = world.now()
    },

    /** Somebody publishes a new version in the web app. */
    publish(id: string, config: Readonly<Record<string, unknown>>): string {
      const agent = agentOf(id)
      const live = publishedRow(agent)
      if (live) live.status = 'archived'
      const name = live?.name ?? 'Agent'
      return world.addRow(agent, { name, config: structuredClone(config), is_active: true, status: 'published' }).id
    },
  }
}
