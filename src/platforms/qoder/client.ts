import { fail } from '../../errors.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Target, Ticket } from '../platform.ts'
import { apiFor, type Net } from './api.ts'
import { restoreBody, updateBody } from './content.ts'
import { readNote, writeNote } from './note.ts'
import type { Settings } from './settings.ts'
import { type Place, readAgent, readEarlier, readLive } from './read.ts'
import { bindingsAfter, refuseTooMany, shipSkills } from './skills.ts'
import { markOf, ownOrStale, type Request, update } from './update.ts'

/**
 * Speaks `/agents/{id}` for one agent. Every update carries the version it was made for and leaves a mark: one that comes
 * a second time finds its own effect instead of having another, so `landed` and `rolledBack` are not needed.
 */
export function qoderClient(target: Target<Settings>, net: Net): PlatformClient {
  const { agentId, settings } = target
  const place: Place = { api: apiFor(target, net), agentId, path: `/agents/${encodeURIComponent(agentId)}` }
  const sending = { place, method: settings.method }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const request: Request = { operation: 'deploy', key: change.key, before }
    const agent = await readAgent(place)
    if (String(agent.version) !== before.revision) return ownOrStale(agent, request)
    const { remove = [], releaseVersion, commit, attachments } = change
    const document = remove.includes('skills') ? { ...change.document, skills: [] } : (change.document ?? {})
    refuseTooMany({ document, attachments }, agent)
    const shipped = await shipSkills(change, agent, place.api)
    const body = updateBody(agent, {
      document,
      remove,
      skills: bindingsAfter({ document, shipped }, agent),
      note: writeNote({ release: releaseVersion, commit, mark: markOf(request), skills: shipped }),
    })
    return { ...(await update(body, request, sending)), releaseVersion }
  }

  async function rollback(to: RollbackTarget, before: Live): Promise<Ticket> {
    const key = JSON.stringify([agentId, 'rollback', to.platformVersion])
    const request: Request = { operation: 'rollback', key, before }
    const agent = await readAgent(place)
    if (String(agent.version) !== before.revision) return ownOrStale(agent, request)
    const earlier = await readEarlier(to.platformVersion, { place, before })
    const { release } = readNote(earlier.metadata)
    const ticket = await update(restoreBody(agent, earlier, markOf(request)), request, sending)
    return { ...ticket, ...(release ? { releaseVersion: release } : {}) }
  }

  return { find: () => readLive(place), submit, rollback, check: (ticket) => check(ticket, place) }
}

/** Qoder has no build: what it has taken is live for new sessions. */
async function check({ platformVersion, releaseVersion }: Ticket, place: Place): Promise<Progress> {
  const { version } = await readAgent(place)
  const wanted = Number(platformVersion)
  if (version < wanted) return { state: 'working', note: `at version ${version}, on the way to ${wanted}` }
  if (version === wanted) return { state: 'live', platformVersion, ...(releaseVersion ? { releaseVersion } : {}) }
  const detail = `version ${version} is live, no longer ${wanted}, which this run made`
  throw fail('changed-elsewhere', { agent: place.agentId, platform: 'Qoder', detail })
}
