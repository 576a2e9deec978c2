import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Makes `openapi.json` from GitHub's whole description: the operations below, what they refer to, nothing for people.
 * `node app/sandbox/github/subset.ts <api.github.com.json>`
 */
const operations: Readonly<Record<string, readonly string[]>> = {
  '/app': ['get'],
  '/app-manifests/{code}/conversions': ['post'],
  '/app/installations': ['get'],
  '/app/installations/{installation_id}': ['get'],
  '/app/installations/{installation_id}/access_tokens': ['post'],
  '/app/hook/config': ['get'],
  '/app/hook/deliveries': ['get'],
  '/app/hook/deliveries/{delivery_id}': ['get'],
  '/app/hook/deliveries/{delivery_id}/attempts': ['post'],
  '/installation/repositories': ['get'],
  '/rate_limit': ['get'],
  '/user': ['get'],
  '/user/installations': ['get'],
  '/user/installations/{installation_id}/repositories': ['get'],
  '/users/{username}': ['get'],
  '/orgs/{org}/teams/{team_slug}/memberships/{username}': ['get'],
  '/repos/{owner}/{repo}': ['get'],
  '/repos/{owner}/{repo}/installation': ['get'],
  '/repos/{owner}/{repo}/branches': ['get'],
  '/repos/{owner}/{repo}/branches/{branch}': ['get'],
  '/repos/{owner}/{repo}/contents/{path}': ['get'],
  '/repos/{owner}/{repo}/git/ref/{ref}': ['get'],
  '/repos/{owner}/{repo}/git/matching-refs/{ref}': ['get'],
  '/repos/{owner}/{repo}/git/refs': ['post'],
  '/repos/{owner}/{repo}/git/commits/{commit_sha}': ['get'],
  '/repos/{owner}/{repo}/commits': ['get'],
  '/repos/{owner}/{repo}/commits/{ref}': ['get'],
  '/repos/{owner}/{repo}/commits/{commit_sha}/pulls': ['get'],
  '/repos/{owner}/{repo}/commits/{ref}/check-runs': ['get'],
  '/repos/{owner}/{repo}/commits/{ref}/status': ['get'],
  '/repos/{owner}/{repo}/compare/{basehead}': ['get'],
  '/repos/{owner}/{repo}/pulls': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/files': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/commits': ['get'],
  '/repos/{owner}/{repo}/issues/comments': ['get'],
  '/repos/{owner}/{repo}/issues/{issue_number}/comments': ['get', 'post'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}': ['get', 'patch', 'delete'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions': ['get', 'post'],
  '/repos/{owner}/{repo}/collaborators/{username}/permission': ['get'],
  '/repos/{owner}/{repo}/deployments': ['get', 'post'],
  '/repos/{owner}/{repo}/deployments/{deployment_id}': ['get'],
  '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses': ['get', 'post'],
  '/repos/{owner}/{repo}/check-runs': ['post'],
  '/repos/{owner}/{repo}/check-runs/{check_run_id}': ['get', 'patch'],
  '/repos/{owner}/{repo}/releases': ['get', 'post'],
  '/repos/{owner}/{repo}/releases/latest': ['get'],
  '/repos/{owner}/{repo}/releases/tags/{tag}': ['get'],
  '/repos/{owner}/{repo}/tarball/{ref}': ['get'],
}

type Json = Record<string, unknown>

const forPeople: readonly string[] = [
  'description',
  'summary',
  'examples',
  'example',
  'externalDocs',
  'x-github',
  'tags',
  'deprecated',
  'x-multi-segment',
]

/** Keys for people go, but not where they are names of properties. */
function strip(value: unknown, insideProperties = false): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => insideProperties || !forPeople.includes(key))
  return Object.fromEntries(kept.map(([key, inner]) => [key, strip(inner, key === 'properties' && !insideProperties)]))
}

function collect(value: unknown, whole: Json, into: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '$ref' || typeof inner !== 'string') {
      collect(inner, whole, into)
      continue
    }
    if (into.has(inner)) continue
    const found = inner
      .slice(2)
      .split('/')
      .reduce<unknown>((at, part) => (at as Json)[part], whole)
    const stripped = strip(found)
    into.set(inner, stripped)
    collect(stripped, whole, into)
  }
}

async function main(from: string): Promise<void> {
  const whole = JSON.parse(await readFile(from, 'utf8')) as Json
  const paths: Json = {}
  for (const [path, methods] of Object.entries(operations)) {
    const given = (whole['paths'] as Record<string, Json>)[path]
    if (!given) throw new Error(`The description has no path ${path}`)
    paths[path] = Object.fromEntries(methods.map((method) => [method, strip(given[method])]))
  }
  const references = new Map<string, unknown>()
  collect(paths, whole, references)
  const components: Record<string, Json> = {}
  for (const [reference, value] of references) {
    const [, , kind = '', name = ''] = reference.split('/')
    components[kind] = { ...components[kind], [name]: value }
  }
  const notice = "Part of GitHub's OpenAPI description (github/rest-api-description), Copyright GitHub, MIT License."
  const subset = { openapi: whole['openapi'], 'x-notice': notice, paths, components }
  await writeFile(join(dirname(fileURLToPath(import.meta.url)), 'openapi.json'), `${JSON.stringify(subset)}\n`)
}

await main(process.argv[2] ?? '')
