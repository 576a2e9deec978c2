import { fail } from '../../errors.ts'
import { type PlatformReply, StaleRevision } from '../../http.ts'
import type { JsonObject, Live, Ticket } from '../platform.ts'
import { idempotencyKey, reasonOf, refusal } from './api.ts'
import { markLength, readNote } from './note.ts'
import type { Settings } from './settings.ts'
import { type Place, readAgent } from './read.ts'
import { AgentReply, type WholeAgent } from './wire.ts'

/** What an update is to bring about, and on top of what. */
export interface Request {
  readonly operation: Ticket['operation']
  /** The same for the same wish. */
  readonly key: string
  readonly before: Live
}

/** Kept in the agent's metadata: by it a request whose reply was lost knows its own effect. */
export function markOf({ key, before }: Request): string {
  return idempotencyKey(key, before.revision ?? '')
    .replaceAll('-', '')
    .slice(0, markLength)
}

/** Of an agent that is no longer as it was read: the request's own doing, or a StaleRevision. */
export function ownOrStale(agent: WholeAgent, request: Request): Ticket {
  const made = Number(request.before.revision) + 1
  const note = readNote(agent.metadata)
  if (note.mark === markOf(request) && agent.version >= made) {
    return { ...ticketOf(made, request), ...(note.release ? { releaseVersion: note.release } : {}) }
  }
  throw new StaleRevision(`Qoder has version ${agent.version} of the agent, not ${request.before.revision}`)
}

/** Sends the body, by POST where the server turns PUT away. */
export async function update(
  body: JsonObject,
  request: Request,
  given: { place: Place; method: Settings['method'] },
): Promise<Ticket> {
  const { place, method } = given
  const text = JSON.stringify(body)
  const first = await write(text, request, { place, method })
  // 405 is said of the verb alone, so that nothing was done.
  const byPost = first.status === 405 && method === 'put'
  const reply = byPost ? await write(text, request, { place, method: 'post' }) : first
  if (reply.status === 404) throw fail('agent-not-found', { platform: 'Qoder', id: place.agentId })
  if (reply.status === 409) return await settleConflict(reply, request, place)
  const { version } = place.api.read(AgentReply, { reply, what: request.operation })
  return ticketOf(version, request)
}

/** The idempotency key stands for the wish and the very bytes; the version that is expected is one of them. */
async function write(text: string, request: Request, given: { place: Place; method: Settings['method'] }) {
  const { place, method } = given
  return await place.api.write({
    what: request.operation,
    method: method === 'put' ? 'PUT' : 'POST',
    path: place.path,
    headers: { 'content-type': 'application/json' },
    body: text,
    key: [request.key, method, text],
  })
}

/** 409 has two causes, and its text is not documented: the version that is there now tells which. */
async function settleConflict(reply: PlatformReply, request: Request, place: Place): Promise<Ticket> {
  const agent = await readAgent(place)
  if (String(agent.version) !== request.before.revision) return ownOrStale(agent, request)
  const cause = 'the version is still the expected one, so the idempotency key was used for something else before'
  throw fail('platform-rejected', {
    ...refusal(reply, request.operation).facts,
    detail: `${reasonOf(reply).detail}; ${cause}; change the content, or wait for 24 hours`,
  })
}

function ticketOf(version: number, { operation, before }: Request): Ticket {
  const { platformVersion } = before
  return {
    operation,
    platformVersion: String(version),
    ...(platformVersion ? { previousVersion: platformVersion } : {}),
  }
}
