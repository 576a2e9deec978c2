import { changedFiles, readCommits } from '../git.ts'
import { loginOf } from '../auth.ts'
import { ApiReply, created, invalid, notFound, ok, paged, refusal } from '../reply.ts'
import { forRepository, type RepositoryCall, type Routes } from '../route.ts'
import { commitShape, userShape } from '../shapes.ts'
import { commentShape, pullShape, wholePullShape } from '../shapes-talk.ts'
import { type Comment, newId, type Pull, roleOf, timestamp } from '../state.ts'

/** Pull requests, their comments and reactions, and who may do what. */

/** GitHub's limit of a comment's body. */
const longestBody = 65_536
const reactionKinds: readonly string[] = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']

export const talkRoutes: Routes = {
  'GET /repos/{owner}/{repo}/pulls': forRepository('pull_requests:read', (call) => {
    const { query, repository } = call
    const state = query.get('state') ?? 'open'
    const head = query.get('head')
    const pulls = [...repository.pulls.values()].filter(
      (pull) =>
        (state === 'all' || pull.state === state) &&
        (!query.get('base') || pull.base === query.get('base')) &&
        (!head || head === `${repository.owner}:${pull.head}`),
    )
    const { page, headers } = paged(pulls.reverse(), call)
    return ok(
      page.map((pull) => pullShape(call.world, repository, pull)),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/pulls/{pull_number}': forRepository('pull_requests:read', (call) =>
    ok(wholePullShape(call.world, call.repository, pullOf(call))),
  ),

  'GET /repos/{owner}/{repo}/pulls/{pull_number}/files': forRepository('pull_requests:read', async (call) => {
    const pull = pullOf(call)
    const files = await changedFiles(call.repository.directory, pull.baseSha, pull.headSha)
    const { page, headers } = paged(files, call)
    const url = `${call.world.url}/${call.repository.fullName}/blob`
    const zero = {
      sha: '0'.repeat(40),
      additions: 0,
      deletions: 0,
      changes: 0,
      blob_url: url,
      raw_url: url,
      contents_url: url,
    }
    return ok(
      page.map((file) => ({
        ...zero,
        filename: file.filename,
        status: file.status,
        ...(file.previous ? { previous_filename: file.previous } : {}),
      })),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits': forRepository('pull_requests:read', async (call) => {
    const pull = pullOf(call)
    const commits = await readCommits(call.repository.directory, ['--reverse', `${pull.baseSha}..${pull.headSha}`])
    const { page, headers } = paged(commits, call)
    return ok(
      page.map((commit) => commitShape(call.world, call.repository, commit)),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls': forRepository('pull_requests:read', (call) => {
    const sha = call.params['commit_sha']
    const pulls = [...call.repository.pulls.values()].filter((pull) => pull.mergeSha === sha || pull.headSha === sha)
    return ok(pulls.map((pull) => pullShape(call.world, call.repository, pull)))
  }),

  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': forRepository('issues:read', (call) => {
    const mine = call.repository.comments.filter(({ number }) => String(number) === call.params['issue_number'])
    const { page, headers } = paged(mine, call)
    return ok(
      page.map((comment) => commentShape(call.world, call.repository, comment)),
      headers,
    )
  }),

  'GET /repos/{owner}/{repo}/issues/comments': forRepository('issues:read', (call) => {
    const since = Date.parse(call.query.get('since') ?? '1970-01-01T00:00:00Z')
    const lately = call.repository.comments.filter(({ updatedAt }) => Date.parse(updatedAt) >= since)
    const { page, headers } = paged(call.query.get('direction') === 'asc' ? lately : lately.toReversed(), call)
    return ok(
      page.map((comment) => commentShape(call.world, call.repository, comment)),
      headers,
    )
  }),

  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': forRepository('issues:write', (call) => {
    const body = bodyOf(call)
    const number = Number(call.params['issue_number'])
    if (!call.repository.pulls.has(number)) throw notFound()
    const now = timestamp(call.world)
    const comment: Comment = {
      id: newId(call.world),
      number,
      author: loginOf(call.viewer),
      body,
      createdAt: now,
      updatedAt: now,
      reactions: [],
      history: [body],
    }
    call.repository.comments.push(comment)
    return created(commentShape(call.world, call.repository, comment))
  }),

  'GET /repos/{owner}/{repo}/issues/comments/{comment_id}': forRepository('issues:read', (call) =>
    ok(commentShape(call.world, call.repository, commentOf(call))),
  ),

  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}': forRepository('issues:write', (call) => {
    const comment = commentOf(call)
    comment.body = bodyOf(call)
    comment.history.push(comment.body)
    comment.updatedAt = timestamp(call.world)
    return ok(commentShape(call.world, call.repository, comment))
  }),

  'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}': forRepository('issues:write', (call) => {
    call.repository.comments.splice(call.repository.comments.indexOf(commentOf(call)), 1)
    return new ApiReply(204, undefined)
  }),

  'GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions': forRepository('issues:read', (call) =>
    ok(commentOf(call).reactions.map((reaction) => reactionShape(call, reaction))),
  ),

  'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions': forRepository('issues:write', (call) => {
    const comment = commentOf(call)
    const content = String(call.body['content'])
    if (!reactionKinds.includes(content)) throw invalid('Reaction', 'content', 'invalid')
    const login = loginOf(call.viewer)
    const known = comment.reactions.find((reaction) => reaction.login === login && reaction.content === content)
    if (known) return ok(reactionShape(call, known))
    const reaction = { id: newId(call.world), login, content, createdAt: timestamp(call.world) }
    comment.reactions.push(reaction)
    return created(reactionShape(call, reaction))
  }),

  'GET /repos/{owner}/{repo}/collaborators/{username}/permission': forRepository('metadata:read', (call) => {
    const login = call.params['username'] ?? ''
    if (!call.world.users.has(login.toLowerCase())) throw notFound()
    const role = roleOf(call.repository, login)
    const folded = ({ maintain: 'write', triage: 'read' } as Record<string, string>)[role] ?? role
    const permissions = {
      admin: role === 'admin',
      maintain: false,
      push: folded === 'write',
      triage: false,
      pull: true,
    }
    return ok({
      permission: folded,
      role_name: role,
      user: { ...userShape(call.world, login), permissions, role_name: role },
    })
  }),
}

function pullOf(call: RepositoryCall): Pull {
  const pull = call.repository.pulls.get(Number(call.params['pull_number']))
  if (!pull) throw notFound()
  return pull
}

function commentOf(call: RepositoryCall): Comment {
  const comment = call.repository.comments.find(({ id }) => String(id) === call.params['comment_id'])
  if (!comment) throw notFound()
  return comment
}

function bodyOf(call: RepositoryCall): string {
  const body = call.body['body']
  if (typeof body !== 'string' || body.trim() === '') throw invalid('IssueComment', 'body', 'missing_field')
  if (body.length > longestBody) throw refusal(422, 'Body is too long (maximum is 65536 characters)')
  return body
}

function reactionShape(call: RepositoryCall, reaction: Comment['reactions'][number]): Record<string, unknown> {
  return {
    id: reaction.id,
    node_id: `REA_${reaction.id}`,
    user: userShape(call.world, reaction.login),
    content: reaction.content,
    created_at: reaction.createdAt,
  }
}
