import { randomBytes } from 'node:crypto'
import { changedFiles, type ChangedFile, git, readCommits, readRefs, resolveCommit, tryGit } from '../git.ts'
import { ApiReply, created, notFound, ok, paged, refusal } from '../reply.ts'
import { forRepository, type RepositoryCall, type Routes } from '../route.ts'
import { commitShape } from '../shapes.ts'

/** Contents, refs, commits, comparisons and archives, answered by git. */

/** GitHub's limits of a comparison: files in all, and commits when no page is asked for. */
const mostComparedFiles = 300
const unpagedCommits = 250

export const codeRoutes: Routes = {
  'GET /repos/{owner}/{repo}/branches': forRepository('contents:read', async (call) => {
    const refs = await readRefs(call.repository.directory)
    const branches = [...refs].filter(([name]) => name.startsWith('refs/heads/'))
    const { page, headers } = paged(branches, call)
    return ok(
      page.map(([name, sha]) => ({ name: name.slice(11), commit: { sha, url: call.url }, protected: false })),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/branches/{branch}': forRepository('contents:read', async (call) => {
    const name = call.params['branch'] ?? ''
    const sha = (await readRefs(call.repository.directory)).get(`refs/heads/${name}`)
    if (!sha) throw refusal(404, 'Branch not found')
    const commit = await oneCommit(call, sha)
    return ok({
      name,
      commit,
      _links: { self: call.url, html: call.url },
      protected: false,
      protection: { enabled: false },
      protection_url: `${call.url}/protection`,
    })
  }),

  'GET /repos/{owner}/{repo}/contents/{path}': forRepository('contents:read', readContent),

  'GET /repos/{owner}/{repo}/git/ref/{ref}': forRepository('contents:read', async (call) => {
    const name = `refs/${call.params['ref']}`
    const sha = (await readRefs(call.repository.directory)).get(name)
    if (!sha) throw notFound()
    return ok(refShape(call, name, sha))
  }),

  'GET /repos/{owner}/{repo}/git/matching-refs/{ref}': forRepository('contents:read', async (call) => {
    const refs = [...(await readRefs(call.repository.directory))].filter(([name]) =>
      name.startsWith(`refs/${call.params['ref']}`),
    )
    return ok(refs.map(([name, sha]) => refShape(call, name, sha)))
  }),

  'POST /repos/{owner}/{repo}/git/refs': forRepository('contents:write', async (call) => {
    const { ref, sha } = call.body as { ref: string; sha: string }
    const { directory } = call.repository
    if (!ref.startsWith('refs/') || ref.split('/').length < 3)
      throw refusal(422, 'Reference name must start with refs/')
    if ((await readRefs(directory)).has(ref)) throw refusal(422, 'Reference already exists')
    if ((await tryGit(directory, ['update-ref', ref, sha, '0'.repeat(40)])) === undefined)
      throw refusal(422, 'Object does not exist')
    return created(refShape(call, ref, sha))
  }),

  'GET /repos/{owner}/{repo}/git/commits/{commit_sha}': forRepository('contents:read', async (call) => {
    const shape = (await oneCommit(call, call.params['commit_sha'] ?? '')) as {
      sha: string
      node_id: string
      commit: Record<string, unknown>
      parents: unknown
      html_url: string
    }
    const { author, committer, message, tree, verification } = shape.commit
    return ok({
      sha: shape.sha,
      node_id: shape.node_id,
      url: call.url,
      html_url: shape.html_url,
      author,
      committer,
      message,
      tree,
      verification,
      parents: shape.parents,
    })
  }),

  'GET /repos/{owner}/{repo}/commits': forRepository('contents:read', async (call) => {
    const { directory, defaultBranch } = call.repository
    const start = await resolveCommit(directory, call.query.get('sha') ?? defaultBranch)
    if (!start) throw notFound()
    const since = call.query.get('since')
    const path = call.query.get('path')
    const commits = await readCommits(directory, [
      ...(since ? [`--since=${since}`] : []),
      start,
      '--',
      ...(path ? [path] : []),
    ])
    const { page, headers } = paged(commits, call)
    return ok(
      page.map((commit) => commitShape(call.world, call.repository, commit)),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/commits/{ref}': forRepository('contents:read', async (call) => {
    const { directory } = call.repository
    const sha = await resolveCommit(directory, call.params['ref'] ?? '')
    if (!sha) throw refusal(422, `No commit found for SHA: ${call.params['ref']}`)
    if (call.accept.includes('.sha')) return ok(sha)
    const [commit] = await readCommits(directory, ['-1', sha])
    if (!commit) throw notFound()
    const files = await changedFiles(directory, commit.parents[0], sha)
    const { page, headers } = paged(files, { ...call, query: withDefaultSize(call.query, 300) })
    return ok(
      {
        ...commitShape(call.world, call.repository, commit),
        stats: { additions: 0, deletions: 0, total: 0 },
        files: page.map((file) => fileShape(call, file)),
      },
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/compare/{basehead}': forRepository('contents:read', compare),

  'GET /repos/{owner}/{repo}/tarball/{ref}': forRepository('contents:read', async (call) => {
    const sha = await resolveCommit(call.repository.directory, call.params['ref'] ?? '')
    if (!sha) throw notFound()
    const token = randomBytes(16).toString('hex')
    call.world.archives.set(token, { repository: call.repository, sha })
    return new ApiReply(302, undefined, {
      location: `${call.world.url}/codeload/${call.repository.fullName}/legacy.tar.gz/${sha}?token=${token}`,
    })
  }),
}

function withDefaultSize(query: URLSearchParams, size: number): URLSearchParams {
  const copy = new URLSearchParams(query)
  if (!copy.has('per_page')) copy.set('per_page', String(size))
  return copy
}

async function oneCommit(call: RepositoryCall, ref: string): Promise<Record<string, unknown>> {
  const sha = await resolveCommit(call.repository.directory, ref)
  const [commit] = sha ? await readCommits(call.repository.directory, ['-1', sha]) : []
  if (!commit) throw notFound()
  return commitShape(call.world, call.repository, commit)
}

async function readContent(call: RepositoryCall): Promise<ApiReply> {
  const { directory, defaultBranch } = call.repository
  const sha = await resolveCommit(directory, call.query.get('ref') ?? defaultBranch)
  if (!sha) throw refusal(404, `No commit found for the ref ${call.query.get('ref')}`)
  const path = (call.params['path'] ?? '').replace(/\/$/, '')
  const listed = await git(directory, ['ls-tree', '-z', '-l', sha, '--', path])
  const [, , type, object = '', size = '0'] = /^(\d+) (\w+) (\w+)\s+(\S+)\t/.exec(listed)
    ? ['', ...listed.split(/\s+/)]
    : []
  if (type === undefined) throw notFound()
  if (type === 'tree') throw refusal(501, 'The sandbox lists no folders')
  const content = await git(directory, ['cat-file', 'blob', object])
  if (call.accept.includes('raw'))
    return new ApiReply(200, content, { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' })
  const links = { self: call.url, git: call.url, html: call.url }
  return ok({
    type: 'file',
    encoding: 'base64',
    size: Number(size),
    name: path.split('/').at(-1),
    path,
    content: Buffer.from(content).toString('base64'),
    sha: object,
    url: call.url,
    git_url: call.url,
    html_url: call.url,
    download_url: call.url,
    _links: links,
  })
}

function refShape(call: RepositoryCall, ref: string, sha: string): Record<string, unknown> {
  const api = `${call.world.url}/api/v3/repos/${call.repository.fullName}`
  return {
    ref,
    node_id: `REF_${sha}`,
    url: `${api}/git/${ref}`,
    object: { type: 'commit', sha, url: `${api}/git/commits/${sha}` },
  }
}

function fileShape(call: RepositoryCall, file: ChangedFile): Record<string, unknown> {
  const url = `${call.world.url}/${call.repository.fullName}/blob/${encodeURI(file.filename)}`
  return {
    sha: '0'.repeat(40),
    filename: file.filename,
    status: file.status,
    ...{ additions: 0, deletions: 0, changes: 0 },
    blob_url: url,
    raw_url: url,
    contents_url: url,
    ...(file.previous ? { previous_filename: file.previous } : {}),
  }
}

async function compare(call: RepositoryCall): Promise<ApiReply> {
  const { directory } = call.repository
  const [baseName = '', headName = ''] = (call.params['basehead'] ?? '').split('...')
  const base = await resolveCommit(directory, baseName)
  const head = await resolveCommit(directory, headName)
  if (!base || !head) throw notFound()
  const mergeBase = (await tryGit(directory, ['merge-base', base, head]))?.trim()
  if (!mergeBase) throw refusal(404, `No common ancestor between ${baseName} and ${headName}.`)
  const commits = await readCommits(directory, ['--topo-order', '--reverse', `${base}..${head}`])
  const behind = Number(await git(directory, ['rev-list', '--count', `${head}..${base}`]))
  const isPaged = call.query.has('per_page') || call.query.has('page')
  const { page, headers } = isPaged ? paged(commits, call) : { page: commits.slice(0, unpagedCommits), headers: {} }
  const files = Number(call.query.get('page') ?? 1) === 1 ? await changedFiles(directory, mergeBase, head) : undefined
  const shape = (sha: string) => oneCommit(call, sha)
  return ok(
    {
      url: call.url,
      ...Object.fromEntries(['html_url', 'permalink_url', 'diff_url', 'patch_url'].map((name) => [name, call.url])),
      base_commit: await shape(base),
      merge_base_commit: await shape(mergeBase),
      status: statusOf(commits.length, behind),
      ahead_by: commits.length,
      behind_by: behind,
      total_commits: commits.length,
      commits: page.map((commit) => commitShape(call.world, call.repository, commit)),
      ...(files ? { files: files.slice(0, mostComparedFiles).map((file) => fileShape(call, file)) } : {}),
    },
    headers,
  )
}

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0) return behind > 0 ? 'diverged' : 'ahead'
  return behind > 0 ? 'behind' : 'identical'
}
