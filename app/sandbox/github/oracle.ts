import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject } from 'ajv'
import addFormats from 'ajv-formats'

/** Judges requests and replies by GitHub's OpenAPI description (a subset of it beside this file). */
export interface Oracle {
  /** Templates of the description that have this method, most literal first. */
  match(method: string, path: string): Matched | undefined
  judgeRequest(asked: { matched: Matched; method: string; query: URLSearchParams; body: unknown }): string[]
  judgeReply(answered: { matched: Matched; method: string; status: number; body: unknown }): string[]
}

export interface Matched {
  /** `/repos/{owner}/{repo}/deployments` */
  readonly template: string
  readonly params: Readonly<Record<string, string>>
}

type Json = Record<string, unknown>
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema?: Json
}

/** Parameters whose values have slashes of their own. */
const eatsSlashes: readonly string[] = ['path', 'ref', 'basehead', 'branch', 'tag']

export function createOracle(): Oracle {
  const description = JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, Json>>
  }
  const spec = nullableAsType(description) as typeof description
  const ajv = new Ajv({ strict: false, allErrors: true })
  // The package's types describe its CommonJS form; under ESM the function is the default export itself.
  ;(addFormats as unknown as (instance: Ajv) => void)(ajv)
  // GitHub answers '' where a deployment status has no address, which its own description does not foresee.
  ajv.addFormat('uri', (text) => text === '' || URL.canParse(text))
  ajv.addSchema(spec, 'gh')
  const templates = Object.keys(spec.paths)
    .map((template) => ({ template, pattern: patternOf(template) }))
    .sort((a, b) => literalLength(b.template) - literalLength(a.template))

  function follow(value: unknown): Json {
    const json = (value ?? {}) as Json
    if (typeof json['$ref'] !== 'string') return json
    const parts = json['$ref'].slice(2).split('/')
    return follow(parts.reduce<unknown>((at, part) => (at as Json)[part], spec))
  }

  function validate(pointer: readonly string[], value: unknown): string[] {
    const reference = `gh#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const check = ajv.getSchema(reference)
    if (!check) return [`no schema at ${pointer.join(' › ')}`]
    return check(value) ? [] : (check.errors ?? []).map(sentence)
  }

  function operation(matched: Matched, method: string): Json {
    return spec.paths[matched.template]?.[method.toLowerCase()] ?? {}
  }

  return {
    match(method, path) {
      for (const { template, pattern } of templates) {
        if (!spec.paths[template]?.[method.toLowerCase()]) continue
        const found = pattern.exec(path)
        if (found) return { template, params: decode(found.groups ?? {}) }
      }
      return undefined
    },

    judgeRequest({ matched, method, query, body }) {
      const described = operation(matched, method)
      const parameters = ((described['parameters'] ?? []) as unknown[]).map(
        (parameter) => follow(parameter) as unknown as Parameter,
      )
      const problems = judgeQuery(
        parameters.filter((parameter) => parameter.in === 'query'),
        query,
      )
      const requestBody = follow(described['requestBody'])
      if (!described['requestBody']) return body === undefined ? problems : [...problems, 'a body is not expected']
      if (body === undefined) return requestBody['required'] ? [...problems, 'a body is required'] : problems
      const pointer = [
        'paths',
        matched.template,
        method.toLowerCase(),
        'requestBody',
        'content',
        'application/json',
        'schema',
      ]
      return [...problems, ...validate(pointer, body), ...unknownKeys(schemaOf(requestBody), body)]
    },

    judgeReply({ matched, method, status, body }) {
      const responses = operation(matched, method)['responses'] as Json | undefined
      const response = responses?.[String(status)]
      // 4xx replies are alike everywhere; the description does not list all of them for each operation.
      if (response === undefined)
        return status >= 400 || status === 304 ? [] : [`the status ${status} is not described`]
      const content = (follow(response)['content'] as Json | undefined)?.['application/json']
      if (!content || body === undefined) return []
      const reference = (response as Json)['$ref']
      const at =
        typeof reference === 'string'
          ? reference.slice(2).split('/')
          : ['paths', matched.template, method.toLowerCase(), 'responses', String(status)]
      return validate([...at, 'content', 'application/json', 'schema'], body)
    },
  }

  function schemaOf(requestBody: Json): Json {
    const content = requestBody['content'] as Json | undefined
    return follow((content?.['application/json'] as Json | undefined)?.['schema'])
  }
}

function judgeQuery(parameters: readonly Parameter[], query: URLSearchParams): string[] {
  const problems: string[] = []
  for (const key of query.keys()) {
    if (!parameters.some(({ name }) => name === key)) problems.push(`the query parameter "${key}" is not known`)
  }
  for (const { name, required, schema } of parameters) {
    const value = query.get(name)
    if (value === null && required) problems.push(`the query parameter "${name}" is missing`)
    if (value !== null && schema?.['type'] === 'integer' && !/^\d+$/.test(value))
      problems.push(`"${name}" is "${value}", not an integer`)
    const allowed = schema?.['enum']
    if (value !== null && Array.isArray(allowed) && !allowed.includes(value))
      problems.push(`"${name}" is "${value}", not one of ${allowed.join(', ')}`)
  }
  return problems
}

/** The schemas let more keys pass; a misspelt one would go unseen. Unions are left to the validator. */
function unknownKeys(schema: Json, body: unknown): string[] {
  const properties = unionProperties(schema)
  if (!properties || typeof body !== 'object' || body === null) return []
  return Object.keys(body)
    .filter((key) => !properties.has(key))
    .map((key) => `the key "${key}" is not known`)
}

function unionProperties(schema: Json): Set<string> | undefined {
  const names = new Set<string>()
  for (const part of [schema, ...((schema['oneOf'] ?? schema['anyOf'] ?? []) as Json[])]) {
    for (const name of Object.keys((part['properties'] ?? {}) as Json)) names.add(name)
  }
  return names.size > 0 ? names : undefined
}

function sentence(error: ErrorObject): string {
  return `${error.instancePath || 'the body'} ${error.message ?? 'is not valid'}${error.keyword === 'enum' ? `: ${JSON.stringify(error.params['allowedValues'])}` : ''}`
}

/** OpenAPI 3.0 says `nullable: true` where JSON Schema has a type array. */
function nullableAsType(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nullableAsType)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, nullableAsType(inner)]),
  ) as Json
  if (nullable === undefined) return rest
  if (nullable !== true) return typeof nullable === 'object' ? { ...rest, nullable } : rest
  if (typeof rest['type'] === 'string' && !rest['enum']) return { ...rest, type: [rest['type'], 'null'] }
  // The list of installations has accounts that are a user and an enterprise at once; elsewhere they are either.
  const { allOf, ...others } = rest
  const isAccount = JSON.stringify(allOf)?.includes('"title":"Enterprise"')
  return { anyOf: [{ type: 'null' }, isAccount ? { ...others, anyOf: allOf } : rest] }
}

function patternOf(template: string): RegExp {
  const source = template
    .replace(/[.*+?^$|()[\]\\]/g, '\\$&')
    .replace(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${eatsSlashes.includes(name) ? '.+' : '[^/]+'})`)
  return new RegExp(`^${source}$`)
}

function literalLength(template: string): number {
  return template.replace(/\{\w+\}/g, '').length
}

function decode(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]))
}
