import { randomUUID } from 'node:crypto'

/** A version of an agent, as the API shows it. */
export interface Row {
  readonly id: string
  readonly agent_group_id: string
  readonly version_number: number
  status: 'draft' | 'published' | 'archived'
  name: string
  config: Record<string, unknown>
  is_active: boolean
  readonly created_at: string
  updated_at: string
}

/** What was asked of an agent and took effect. */
export interface Effect {
  readonly kind: 'patch' | 'publish'
  readonly body: unknown
  readonly row: string
}

export interface Agent {
  readonly group: string
  readonly workspace: string
  /** Oldest first. */
  readonly rows: Row[]
  readonly effects: Effect[]
  /** Something was changed since the last publish. */
  changed: boolean
}

export function createWorld() {
  const agents: Agent[] = []
  /** API keys with their workspaces. */
  const keys = new Map<string, string>()
  let last = 0

  /** Never twice the same: two edits within a millisecond are two. */
  function now(): string {
    last = Math.max(Date.now(), last + 1)
    return new Date(last).toISOString()
  }

  function addRow(agent: Agent, row: Pick<Row, 'name' | 'config' | 'is_active' | 'status'>): Row {
    const at = now()
    const added: Row = {
      ...row,
      id: randomUUID(),
      agent_group_id: agent.group,
      version_number: agent.rows.length + 1,
      created_at: at,
      updated_at: at,
    }
    agent.rows.push(added)
    return added
  }

  function addAgent(workspace: string, given: Pick<Row, 'name' | 'config' | 'status'>): Agent {
    const agent: Agent = { group: randomUUID(), workspace, rows: [], effects: [], changed: false }
    addRow(agent, { ...given, is_active: true })
    agents.push(agent)
    return agent
  }

  /** An agent by its own id or by that of any of its versions. */
  function find(id: string): Agent | undefined {
    return agents.find(({ group, rows }) => group === id || rows.some((row) => row.id === id))
  }

  return { agents, keys, now, addRow, addAgent, find }
}
export type World = ReturnType<typeof createWorld>

export function publishedRow(agent: Agent): Row | undefined {
  return agent.rows.findLast(({ status }) => status === 'published')
}
