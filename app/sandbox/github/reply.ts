/** An answer of the REST API; thrown for refusals. */
export class ApiReply extends Error {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`HTTP ${status}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): ApiReply {
  return new ApiReply(200, body, headers)
}

export function created(body: unknown): ApiReply {
  return new ApiReply(201, body)
}

const documentation = 'https://docs.github.com/rest'

export function refusal(status: number, message: string, errors?: readonly unknown[]): ApiReply {
  return new ApiReply(status, {
    message,
    documentation_url: documentation,
    status: String(status),
    ...(errors ? { errors } : {}),
  })
}

/** Where a renamed repository is asked for now. */
export function movedTo(world: { url: string; renamed: ReadonlyMap<string, string> }, url: URL): string | undefined {
  const [, before = '', old = '', after = ''] = /^(.*\/repos\/)([^/]+\/[^/]+)(.*)$/.exec(url.pathname) ?? []
  const now = world.renamed.get(old.toLowerCase())
  return now && `${world.url}${before}${now}${after}${url.search}`
}

/** GitHub Docs, "Best practices for using the REST API": 301 to read on, 307 to repeat the same elsewhere. */
export function redirect(method: string, location: string): ApiReply {
  return new ApiReply(method === 'GET' ? 301 : 307, { message: 'Moved Permanently', url: location }, { location })
}

export const notFound = () => refusal(404, 'Not Found')

export function invalid(resource: string, field: string, code: string): ApiReply {
  return refusal(422, 'Validation Failed', [{ resource, field, code }])
}

/** `per_page` and `page` as GitHub has them, with the Link header. */
export function paged<T>(
  items: readonly T[],
  asked: { query: URLSearchParams; url: string },
): { page: readonly T[]; headers: Record<string, string> } {
  const size = Math.min(Number(asked.query.get('per_page') ?? 30), 100)
  const number = Number(asked.query.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(items.length / size))
  const link = (page: number, rel: string) => {
    const query = new URLSearchParams(asked.query)
    query.set('page', String(page))
    return `<${asked.url}?${query}>; rel="${rel}"`
  }
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev'), link(1, 'first')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
  ]
  return {
    page: items.slice((number - 1) * size, number * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  }
}
