import { randomUUID } from 'node:crypto'
import type { PlatformReply } from '../platform-server.ts'

/** Error types as Qoder's pages pair them with a status. */
const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  409: 'conflict_error',
  429: 'rate_limit_error',
}

export function refuse(status: number, message: string, param?: string): PlatformReply {
  const type = errorTypes[status] ?? 'api_error'
  const request_id = `req_${randomUUID().replaceAll('-', '')}`
  return {
    status,
    body: { type: 'error', error: { type, message, ...(param ? { param } : {}) }, request_id },
    headers: { 'x-request-id': request_id },
  }
}

/** Thrown anywhere inside a handler; becomes the reply. */
export class Refusal extends Error {
  readonly reply: PlatformReply

  constructor(status: number, message: string, param?: string) {
    super(message)
    this.reply = refuse(status, message, param)
  }
}

const defaultPage = 20
const largestPage = 100

/** One page of a list, by cursor (`after_id`, `before_id`) or by token (`page`), whichever the client uses. */
export function pageOf<T>(items: readonly T[], query: URLSearchParams, idOf: (item: T) => string): PlatformReply {
  const limit = Number(query.get('limit') ?? defaultPage)
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage) {
    throw new Refusal(400, `limit must be between 1 and ${largestPage}.`, 'limit')
  }
  const after = query.get('after_id')
  const before = query.get('before_id')
  const token = query.get('page')
  if ([after, before, token].filter((value) => value !== null).length > 1) {
    throw new Refusal(400, 'after_id, before_id and page are mutually exclusive.')
  }
  let start = 0
  let end = items.length
  if (after !== null) start = indexOf(items, { id: after, name: 'after_id', idOf }) + 1
  if (token !== null) start = indexOf(items, { id: token, name: 'page', idOf }) + 1
  if (before !== null) {
    end = indexOf(items, { id: before, name: 'before_id', idOf })
    start = Math.max(0, end - limit)
  }
  const data = items.slice(start, Math.min(end, start + limit))
  const last = data.at(-1)
  const more = start + data.length < items.length
  return {
    status: 200,
    body: {
      data,
      first_id: data[0] === undefined ? null : idOf(data[0]),
      last_id: last === undefined ? null : idOf(last),
      has_more: more,
      next_page: more && last !== undefined ? idOf(last) : null,
    },
  }
}

function indexOf<T>(items: readonly T[], wanted: { id: string; name: string; idOf: (item: T) => string }): number {
  const at = items.findIndex((item) => wanted.idOf(item) === wanted.id)
  if (at < 0) throw new Refusal(400, `${wanted.name} '${wanted.id}' is not a known cursor.`, wanted.name)
  return at
}
