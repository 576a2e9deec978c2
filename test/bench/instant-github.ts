import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { endOfTar, paddingOf, tarHeader } from '../../src/bundle/tar-format.ts'

/** One file of a commit. */
export type Tree = Readonly<Record<string, string>>

interface Deployment {
  readonly id: number
  readonly task: unknown
  readonly environment: unknown
  readonly payload: unknown
  readonly created_at: string
  readonly statuses: object[]
}

/**
 * What GitHub answers to the App about plain pushes, out of memory and at once: so that our own time is measured, and not that of
 * git on this machine. It knows nothing else; the emulated GitHub of the sandbox is what judges our requests.
 */
export async function startInstantGitHub(treeOf: (repository: string, commit: string) => Tree) {
  const heads = new Map<string, string>()
  const deployments = new Map<string, Deployment[]>()
  let last = 0
  let reports = 0
  let heard: () => void = () => undefined

  /** By method and what follows the repository; the first whose pattern matches answers. */
  const routes: readonly [RegExp, (call: Call) => unknown][] = [
    [/^POST .*\/access_tokens$/, () => ({ token: 'ghs_bench', expires_at: '2099-01-01T00:00:00Z', permissions: {} })],
    [/^GET .*\/contents\//, ({ repository, url, path }) => treeOf(repository, url.searchParams.get('ref') ?? '')[path]],
    [/^GET .*\/git\/ref\//, ({ repository }) => ({ object: { sha: heads.get(repository) } })],
    [/^GET .*\/compare\//, ({ path }) => comparison(path)],
    [/^GET .*\/tarball\//, ({ repository, path }) => tarball(treeOf(repository, path))],
    [/^GET .*\/deployments\/\d+\/statuses$/, (call) => deploymentOf(call)?.statuses ?? []],
    [/^POST .*\/deployments\/\d+\/statuses$/, (call) => addStatus(call)],
    [/^GET .*\/deployments$/, ({ repository }) => (deployments.get(repository) ?? []).slice(0, 30)],
    [/^POST .*\/deployments$/, (call) => addDeployment(call)],
    [/^POST .*\/check-runs$/, () => report()],
  ]

  interface Call {
    readonly repository: string
    /** What follows the name of the operation. */
    readonly path: string
    readonly url: URL
    readonly body: Readonly<Record<string, unknown>>
  }

  function addDeployment({ repository, body }: Call) {
    const { task, environment, payload } = body
    const made = { id: ++last, task, environment, payload, created_at: new Date().toISOString(), statuses: [] }
    deployments.set(repository, [made, ...(deployments.get(repository) ?? [])])
    return made
  }

  function deploymentOf({ repository, url }: Call): Deployment | undefined {
    const id = Number(/\/deployments\/(\d+)/.exec(url.pathname)?.[1])
    return deployments.get(repository)?.find((deployment) => deployment.id === id)
  }

  function addStatus(call: Call) {
    const status = { id: ++last, created_at: new Date().toISOString(), environment_url: '', ...call.body }
    deploymentOf(call)?.statuses.unshift(status)
    return status
  }

  function report() {
    reports++
    heard()
    return { id: ++last }
  }

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      const [, repository = '', path = ''] =
        /\/repos\/[^/]+\/([^/]+)\/(?:contents|compare|tarball)?\/?(.*)$/.exec(url.pathname) ?? []
      const found = routes.find(([pattern]) => pattern.test(`${request.method} ${url.pathname}`))
      const answer = found?.[1]({ repository, path: decodeURIComponent(path), url, body })
      if (answer === undefined) return response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      const status = request.method === 'POST' ? 201 : 200
      const send = (type: string, content: string | Buffer) =>
        response.writeHead(status, { 'content-type': type }).end(content)
      if (typeof answer === 'string') send('text/plain; charset=utf-8', answer)
      else if (Buffer.isBuffer(answer)) send('application/x-gzip', answer)
      else send('application/json', JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Moves the branch on and returns the webhook's body. */
    push(repository: string, file: string): string {
      const before = heads.get(repository) ?? '0'.repeat(40)
      const after = createHash('sha1').update(`${repository} ${before}`).digest('hex')
      heads.set(repository, after)
      return JSON.stringify(pushOf({ repository, before, after, file }))
    },
    /** Resolves when so many check runs have been written in all; a job that has not reported in time never will. */
    async reported(count: number, patienceMs: number): Promise<void> {
      const tooLong = setTimeout(() => heard(), patienceMs)
      const end = Date.now() + patienceMs
      while (reports < count && Date.now() < end) await new Promise<void>((resolve) => (heard = resolve))
      clearTimeout(tooLong)
      if (reports < count) throw new Error(`${count - reports} jobs did not end within ${patienceMs / 1000} s`)
    },
    reports: () => reports,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  // Our own app has sent it.
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
}

/** One commit right on top of the other. */
function comparison(basehead: string) {
  const [base = '', head = ''] = basehead.split('...')
  const commit = { sha: head, parents: [{ sha: base }], commit: { message: 'fix: more', author: { name: 'Ada' } } }
  const end = { base_commit: { sha: base }, merge_base_commit: { sha: base } }
  if (base === head) return { status: 'identical', total_commits: 0, ...end, commits: [], files: [] }
  const files = [{ filename: 'agents/bot/agent.yml', status: 'modified' }]
  return { status: 'ahead', total_commits: 1, ...end, commits: [commit], files }
}

function tarball(tree: Tree): Buffer {
  const parts = Object.entries(tree).flatMap(([path, text]) => {
    const content = Buffer.from(text)
    const header = tarHeader({ path: `acme-agents-0/${path}`, size: content.length, mode: 0o644 })
    return [header, content, Buffer.alloc(paddingOf(content.length))]
  })
  return gzipSync(Buffer.concat([...parts, endOfTar]), { level: 1 })
}

function pushOf(push: { repository: string; before: string; after: string; file: string }) {
  const { repository, before, after, file } = push
  return {
    ref: 'refs/heads/main',
    before,
    after,
    commits: [{ id: after, message: 'fix: more', added: [], removed: [], modified: [file] }],
    repository: {
      id: Number(/\d+$/.exec(repository)?.[0] ?? 0) + 1,
      name: repository,
      owner: { login: 'acme' },
      html_url: `https://github.example/acme/${repository}`,
      default_branch: 'main',
    },
    sender: { login: 'ada', type: 'User' },
    installation: { id: 1 },
  }
}
