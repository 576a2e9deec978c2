/** Where traces go, as OpenTelemetry's variables say ("OTLP Exporter", "SDK environment variables"). */
export interface TracingSettings {
  readonly url: string
  /** May hold credentials. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly resource: Readonly<Record<string, string>>
}

/** OpenTelemetry's own default. */
const defaultTimeoutMs = 10_000
const name = 'OTEL_EXPORTER_OTLP_'

/** Undefined where nothing is to be sent. What is wrong is added to the problems, with what to do about it. */
export function readTracing(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): TracingSettings | undefined {
  const isOff = /^true$/i.test(env['OTEL_SDK_DISABLED'] ?? '') || env['OTEL_TRACES_EXPORTER'] === 'none'
  const url = urlIn(env, problems)
  if (isOff || url === undefined) return undefined
  // What is said of traces goes before what is said of everything.
  const own = (what: string) => (env[`${name}TRACES_${what}`] ? `${name}TRACES_${what}` : `${name}${what}`)
  if (env[own('PROTOCOL')] === 'grpc')
    problems.push(
      `  ${own('PROTOCOL')}: use http/json, and the collector's port for HTTP (4318); gRPC is not spoken here`,
    )
  const timeoutMs = Number(env[own('TIMEOUT')] || defaultTimeoutMs)
  if (!(timeoutMs > 0)) problems.push(`  ${own('TIMEOUT')}: use a number of milliseconds`)
  const attributes = pairsIn('OTEL_RESOURCE_ATTRIBUTES', { env, problems })
  const service = env['OTEL_SERVICE_NAME'] || attributes['service.name'] || 'agent-deploy'
  return {
    url,
    headers: pairsIn(own('HEADERS'), { env, problems }),
    timeoutMs,
    resource: { ...attributes, 'service.name': service },
  }
}

/** One for traces alone is taken as it is; to the one for everything the path is added. */
function urlIn(env: Readonly<Record<string, string | undefined>>, problems: string[]): string | undefined {
  const variable = env[`${name}TRACES_ENDPOINT`] ? `${name}TRACES_ENDPOINT` : `${name}ENDPOINT`
  const text = env[variable]
  if (!text) return undefined
  const url = URL.parse(text)
  // Fetch refuses credentials in a URL, and would say them.
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    problems.push(`  ${variable}: use a URL such as http://localhost:4318; credentials go into ${name}HEADERS`)
    return undefined
  }
  if (variable === `${name}ENDPOINT`) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`
  return url.href
}

/** `a=1,b=two%20words`: W3C Baggage without its properties. */
function pairsIn(
  variable: string,
  from: { env: Readonly<Record<string, string | undefined>>; problems: string[] },
): Readonly<Record<string, string>> {
  const entries = (from.env[variable] ?? '').split(',').flatMap((entry): (readonly [string, string])[] => {
    if (entry.trim() === '') return []
    const [, key, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? []
    const decoded = value === undefined ? undefined : decode(value)
    if (key !== undefined && decoded !== undefined && !/[\r\n\0]/.test(decoded)) return [[key, decoded]]
    // Not the entry: it may be a credential.
    from.problems.push(`  ${variable}: use name=value pairs with commas between; other characters as %20`)
    return []
  })
  return Object.fromEntries(entries)
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** What of the headers must not be seen: the values, and what follows a scheme such as `Bearer`. */
export function secretsIn({ headers }: TracingSettings): readonly string[] {
  return Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/).slice(1)])
}
