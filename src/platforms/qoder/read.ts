import { fail } from '../../errors.ts'
import type { Live } from '../platform.ts'
import type { Api } from './api.ts'
import { contentOf, wholeAgent } from './content.ts'
import { readNote } from './note.ts'
import { AgentReply, AgentVersions, VersionRows, type WholeAgent } from './wire.ts'

/** Where one agent is. */
export interface Place {
  readonly api: Api
  readonly agentId: string
  readonly path: string
}

/** Versions that are listed: Qoder gives this many at once. */
const pageSize = 100

/** Throws `agent-not-found` and `agent-archived`. */
export async function readAgent({ api, agentId, path }: Place): Promise<WholeAgent> {
  const agent = await api.lookUp(AgentReply, { what: 'question for the agent', path })
  if (!agent) throw fail('agent-not-found', { platform: 'Qoder', id: agentId })
  if (!agent.archived && !agent.archived_at) return wholeAgent(agent)
  throw fail('agent-archived', { platform: 'Qoder', id: agentId, since: agent.archived_at ?? undefined })
}

export async function readLive(place: Place): Promise<Live> {
  const agent = await readAgent(place)
  const path = `${place.path}/versions?limit=${pageSize}`
  const { data } = await place.api.get(VersionRows, { what: 'list of versions', path })
  const { release } = readNote(agent.metadata)
  return {
    platformVersion: String(agent.version),
    ...(release ? { releaseVersion: release } : {}),
    status: 'active',
    revision: String(agent.version),
    content: contentOf(agent),
    versions: data.map(({ version, updated_at }) => ({
      version: String(version),
      status: version === agent.version ? 'active' : 'previous',
      ...(updated_at ? { createdAt: updated_at } : {}),
    })),
  }
}

/** An earlier version whole. Throws `version-unknown`. */
export async function readEarlier(version: string, from: { place: Place; before: Live }): Promise<WholeAgent> {
  const { place, before } = from
  const found = /^\d+$/.test(version) ? await readNumber(Number(version), place) : undefined
  if (found) return wholeAgent(found)
  const known = before.versions.map((row) => row.version).filter((row) => row !== before.platformVersion)
  throw fail('version-unknown', { agent: place.agentId, version, known })
}

/** By its number; from the list where a server ignores that question and answers with the version that is live. */
async function readNumber(number: number, { api, path }: Place): Promise<AgentReply | undefined> {
  const what = 'question for an earlier version'
  const asked = await api.lookUp(AgentReply, { what, path: `${path}?version=${number}` })
  if (asked === undefined || asked.version === number) return asked
  if (number > asked.version) return undefined
  // The list begins with the newest: after N + 1 comes N.
  const page = `${path}/versions?after_id=${number + 1}&limit=1`
  const { data } = await api.get(AgentVersions, { what, path: page })
  return data.find((row) => row.version === number)
}
