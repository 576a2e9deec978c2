import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { App, Octokit } from 'octokit'
import { list } from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SandboxGitHub, startGitHub } from '../../app/sandbox/github/server.ts'
import { addCommit, git, gitRemote, temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let github: SandboxGitHub
let hookServer: Server
let received: { headers: Record<string, string | string[] | undefined>; body: string }[]

const secret = 's3cr3t'
const permissions = {
  contents: 'write',
  deployments: 'write',
  checks: 'write',
  issues: 'write',
  pull_requests: 'write',
  metadata: 'read',
}

beforeEach(async () => {
  folder = temporaryFolder()
  received = []
  hookServer = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      response.writeHead(202).end()
    })
  }).listen(0, '127.0.0.1')
  await once(hookServer, 'listening')
  github = await startGitHub({ root: join(folder.path, 'github') })
})

afterEach(async () => {
  await github.close()
  hookServer.closeAllConnections()
  hookServer.close()
  folder.remove()
})

async function seed() {
  const repository = await github.addRepository({ owner: 'acme', name: 'agents' })
  const app = github.addApp({
    slug: 'deployer',
    name: 'Deployer',
    webhookUrl: `http://127.0.0.1:${(hookServer.address() as AddressInfo).port}/hook`,
    webhookSecret: secret,
    permissions,
    events: ['push', 'issue_comment', 'pull_request', 'release'],
  })
  const installationId = github.installApp('deployer', { account: 'acme', repositories: 'all' })
  github.setPermission('acme/agents', 'ada', 'maintain')
  const token = github.addToken({ login: 'ada' })
  const work = join(folder.path, 'work')
  git(folder.path, 'init', '-q', '-b', 'main', 'work')
  const first = addCommit(work, { tree: { 'README.md': 'hello\n', 'agents/a/main.py': 'x\n' }, message: 'feat: begin' })
  git(work, 'remote', 'add', 'origin', repository.cloneUrl.replace('://', `://x:${token}@`))
  await gitRemote(work, 'push', '-q', 'origin', 'main')
  await github.settle()
  return { repository, app, installationId, token, work, first }
}

async function installationOctokit(app: { id: number; privateKey: string }, installationId: number) {
  const own = Octokit.defaults({ baseUrl: github.apiUrl, throttle: { enabled: false }, retry: { enabled: false } })
  return await new App({ appId: app.id, privateKey: app.privateKey, Octokit: own }).getInstallationOctokit(
    installationId,
  )
}

describe('the sandbox’s GitHub', () => {
  it('takes a real push and sends a signed webhook of it', async () => {
    const { work, first, app } = await seed()
    const second = addCommit(work, { tree: { 'agents/a/main.py': 'y\n' }, message: 'fix: y' })
    await gitRemote(work, 'push', '-q', 'origin', 'main')
    await github.settle()

    const last = received.at(-1)
    const payload = JSON.parse(last?.body ?? '{}') as Record<string, unknown>
    expect(last?.headers['x-hub-signature-256']).toBe(
      `sha256=${createHmac('sha256', secret)
        .update(last?.body ?? '')
        .digest('hex')}`,
    )
    expect(last?.headers['x-github-event']).toBe('push')
    expect(payload).toMatchObject({
      ref: 'refs/heads/main',
      before: first,
      after: second,
      created: false,
      forced: false,
      commits: [{ id: second, message: 'fix: y', modified: ['agents/a/main.py'], added: [] }],
      repository: { full_name: 'acme/agents', default_branch: 'main' },
      sender: { login: 'ada' },
      installation: { id: expect.any(Number) },
    })
    expect(app.installations).toHaveLength(1)
  })

  it('redelivers with the same id', async () => {
    await seed()
    const { guid } = github.deliveries[0] ?? { guid: '' }

    await github.redeliver(guid)

    expect(received.map(({ headers }) => headers['x-github-delivery'])).toEqual([guid, guid])
  })

  it('answers an app’s whole walk without breaking GitHub’s description', async () => {
    const { app, installationId, work, first } = await seed()
    git(work, 'checkout', '-q', '-b', 'topic')
    const head = addCommit(work, { tree: { 'agents/b/main.py': 'z\n' }, message: 'feat: b' })
    await gitRemote(work, 'push', '-q', 'origin', 'topic')
    const number = await github.openPullRequest({
      repo: 'acme/agents',
      head: 'topic',
      base: 'main',
      title: 'B',
      author: 'ada',
    })
    const octokit = await installationOctokit(app, installationId)
    const at = { owner: 'acme', repo: 'agents' }

    const repository = await octokit.request('GET /repos/{owner}/{repo}', at)
    const raw = await octokit.request('GET /repos/{owner}/{repo}/contents/{path}', {
      ...at,
      path: 'agents/a/main.py',
      ref: first,
      mediaType: { format: 'raw' },
    })
    const compared = await octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      ...at,
      basehead: `${first}...${head}`,
      per_page: 100,
    })
    const commit = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', { ...at, ref: head })
    const commits = await octokit.request('GET /repos/{owner}/{repo}/commits', { ...at, sha: head, path: 'agents/b' })
    const pull = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...at, pull_number: number })
    const files = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
      ...at,
      pull_number: number,
    })
    const permission = await octokit.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
      ...at,
      username: 'ada',
    })
    const comment = await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      ...at,
      issue_number: number,
      body: 'hi',
    })
    await octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...at,
      comment_id: comment.data.id,
      body: 'hi again',
    })
    await octokit.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
      ...at,
      comment_id: comment.data.id,
      content: 'eyes',
    })
    const comments = await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      ...at,
      issue_number: number,
    })
    const deployment = await octokit.request('POST /repos/{owner}/{repo}/deployments', {
      ...at,
      ref: first,
      environment: 'a',
      payload: { k: 1 },
      auto_merge: false,
      required_contexts: [],
    })
    const id = (deployment.data as { id: number }).id
    await octokit.request('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
      ...at,
      deployment_id: id,
      state: 'success',
      description: 'live',
    })
    const deployments = await octokit.request('GET /repos/{owner}/{repo}/deployments', { ...at, environment: 'a' })
    const statuses = await octokit.request('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
      ...at,
      deployment_id: id,
    })
    const check = await octokit.request('POST /repos/{owner}/{repo}/check-runs', {
      ...at,
      name: 'c',
      head_sha: head,
      status: 'completed',
      conclusion: 'success',
      output: { title: 't', summary: 's' },
    })
    const checks = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { ...at, ref: head })

    expect(repository.data.full_name).toBe('acme/agents')
    expect(raw.data).toBe('x\n')
    expect(compared.data).toMatchObject({
      status: 'ahead',
      total_commits: 1,
      commits: [{ sha: head }],
      files: [{ filename: 'agents/b/main.py', status: 'added' }],
    })
    expect(commit.data.files).toMatchObject([{ filename: 'agents/b/main.py' }])
    expect(commits.data.map(({ sha }) => sha)).toEqual([head])
    expect(pull.data).toMatchObject({ number, head: { sha: head }, merged: false })
    expect(files.data).toHaveLength(1)
    expect(permission.data).toMatchObject({ permission: 'write', role_name: 'maintain' })
    expect(comments.data).toMatchObject([{ body: 'hi again', user: { type: 'Bot', login: 'deployer[bot]' } }])
    expect(deployments.data).toMatchObject([{ id, payload: { k: 1 } }])
    expect(statuses.data).toMatchObject([{ state: 'success', description: 'live' }])
    expect(checks.data.check_runs).toMatchObject([{ id: check.data.id, conclusion: 'success' }])
    expect(github.violations).toEqual([])
  })

  it('gives a commit’s tarball by way of a redirect', async () => {
    const { app, installationId, first } = await seed()
    const octokit = await installationOctokit(app, installationId)

    const { data } = await octokit.request('GET /repos/{owner}/{repo}/tarball/{ref}', {
      owner: 'acme',
      repo: 'agents',
      ref: first,
    })
    const names: string[] = []
    const parser = list({ onReadEntry: (entry) => void names.push(entry.path) })
    Readable.from([Buffer.from(data as ArrayBuffer)]).pipe(parser)
    await once(parser, 'end')

    const top = `acme-agents-${first.slice(0, 7)}`
    expect(names).toEqual(expect.arrayContaining([`${top}/README.md`, `${top}/agents/a/main.py`]))
  })

  it('merges a pull request with a real merge commit and says so', async () => {
    const { work } = await seed()
    git(work, 'checkout', '-q', '-b', 'topic')
    addCommit(work, { tree: { b: 'z\n' }, message: 'feat: b' })
    await gitRemote(work, 'push', '-q', 'origin', 'topic')
    const number = await github.openPullRequest({
      repo: 'acme/agents',
      head: 'topic',
      base: 'main',
      title: 'B',
      author: 'ada',
    })

    const sha = await github.mergePullRequest({ repo: 'acme/agents', number, by: 'ada' })
    await github.settle()

    await gitRemote(work, 'fetch', '-q', 'origin')
    expect(git(work, 'rev-parse', 'origin/main')).toBe(sha)
    expect(git(work, 'log', '-1', '--format=%s', 'origin/main')).toBe('Merge pull request #1 from acme/topic')
    const events = received.map(
      ({ headers, body }) => `${headers['x-github-event']} ${(JSON.parse(body) as { action?: string }).action ?? ''}`,
    )
    expect(events.slice(-2).sort()).toEqual(['pull_request closed', 'push '])
  })

  it('refuses a push without credentials and by those who may only read', async () => {
    const { repository, work } = await seed()
    const reader = github.addToken({ login: 'rita' })

    await expect(gitRemote(work, 'push', '-q', repository.cloneUrl, 'main:other')).rejects.toThrow(
      /Authentication|could not read Username/,
    )
    const asReader = repository.cloneUrl.replace('://', `://x:${reader}@`)
    await expect(gitRemote(work, 'push', '-q', asReader, 'main:other')).rejects.toThrow(/Authentication|403/)
    expect(await gitRemote(folder.path, 'ls-remote', repository.cloneUrl)).toContain('refs/heads/main')
  })

  const now = Math.floor(Date.now() / 1000)
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  it.each([
    ['expired', { iat: now - 900, exp: now - 300 }, false],
    ['too long-lived', { iat: now, exp: now + 3600 }, false],
    ['issued in the future', { iat: now + 300, exp: now + 500 }, false],
    ['signed with another key', { iat: now - 10, exp: now + 300 }, true],
  ])('refuses an app’s JWT that is %s', async (_, claims, foreign) => {
    const { app } = await seed()
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...claims, iss: app.id })}`
    const signature = createSign('RSA-SHA256')
      .update(unsigned)
      .sign(foreign ? stranger : app.privateKey, 'base64url')

    const response = await fetch(`${github.apiUrl}/app`, {
      headers: { authorization: `Bearer ${unsigned}.${signature}` },
    })

    expect(response.status).toBe(401)
  })

  it('refuses what a token has no permission for, as GitHub does', async () => {
    await seed()
    const token = github.addToken({
      login: 'github-actions[bot]',
      permissions: { contents: 'read' },
      repositories: ['acme/agents'],
    })
    const octokit = new Octokit({
      baseUrl: github.apiUrl,
      auth: token,
      retry: { enabled: false },
      throttle: { enabled: false },
    })

    const refused = octokit.request('POST /repos/{owner}/{repo}/deployments', {
      owner: 'acme',
      repo: 'agents',
      ref: 'main',
    })

    await expect(refused).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    })
  })

  it.each([
    ['a misspelt key', { ref: 'main', enviroment: 'x' }, 'the key "enviroment" is not known'],
    ['a wrong type', { ref: 'main', auto_merge: 'no' }, 'must be boolean'],
    ['a missing key', { task: 'deploy' }, "must have required property 'ref'"],
  ])('catches %s in a request', async (_, body, problem) => {
    const { token } = await seed()

    const response = await fetch(`${github.apiUrl}/repos/acme/agents/deployments`, {
      method: 'POST',
      headers: { authorization: `token ${token}` },
      body: JSON.stringify(body),
    })

    expect(response.status).toBe(500)
    expect(github.violations).toEqual([
      { request: 'POST /repos/acme/agents/deployments', problem: expect.stringContaining(problem) },
    ])
  })

  it('catches an operation that it does not know', async () => {
    await fetch(`${github.apiUrl}/repos/acme/agents/actions/runs`)

    expect(github.violations).toEqual([
      { request: 'GET /repos/acme/agents/actions/runs', problem: 'no such operation' },
    ])
  })

  it('answers 304 to those who have the newest state', async () => {
    await seed()
    const first = await fetch(`${github.apiUrl}/repos/acme/agents`)

    const second = await fetch(`${github.apiUrl}/repos/acme/agents`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    })

    expect(second.status).toBe(304)
  })

  it('pages a comparison, oldest commit first', async () => {
    const { work, first, token } = await seed()
    for (let at = 0; at < 5; at++) addCommit(work, { tree: { n: String(at) }, message: `fix: ${at}` })
    await gitRemote(work, 'push', '-q', 'origin', 'main')
    const octokit = new Octokit({ baseUrl: github.apiUrl, auth: token })

    const pages = [1, 2, 3].map((page) =>
      octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
        owner: 'acme',
        repo: 'agents',
        basehead: `${first}...main`,
        per_page: 2,
        page,
      }),
    )

    const messages = (await Promise.all(pages)).map(({ data }) => data.commits.map(({ commit }) => commit.message))
    expect(messages).toEqual([['fix: 0', 'fix: 1'], ['fix: 2', 'fix: 3'], ['fix: 4']])
  })
})
