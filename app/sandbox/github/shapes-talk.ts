import { appShape, links, repositoryShape, userShape } from './shapes.ts'
import type { Comment, Pull, Repository, World } from './state.ts'

/** GitHub's JSON of pull requests and what is said on them. */

export function pullShape(world: World, repository: Repository, pull: Pull): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}`
  const side = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: userShape(world, repository.owner),
    repo: repositoryShape(world, repository),
  })
  const url = `${api}/pulls/${pull.number}`
  return {
    url,
    id: pull.number,
    node_id: `PR_${pull.number}`,
    html_url: `${world.url}/${repository.fullName}/pull/${pull.number}`,
    ...links(url, [
      'diff_url',
      'patch_url',
      'issue_url',
      'commits_url',
      'review_comments_url',
      'review_comment_url',
      'comments_url',
      'statuses_url',
    ]),
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: userShape(world, pull.author),
    body: pull.body,
    labels: [],
    milestone: null,
    created_at: pull.createdAt,
    updated_at: pull.closedAt ?? pull.createdAt,
    closed_at: pull.closedAt,
    merged_at: pull.merged ? pull.closedAt : null,
    merge_commit_sha: pull.mergeSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: { ...side(pull.head, pull.headSha), ...forkOf(world, repository, pull) },
    base: side(pull.base, pull.baseSha),
    _links: Object.fromEntries(
      ['comments', 'commits', 'statuses', 'html', 'issue', 'review_comments', 'review_comment', 'self'].map((name) => [
        name,
        { href: url },
      ]),
    ),
    author_association: 'MEMBER',
    auto_merge: null,
    draft: false,
  }
}

function forkOf(world: World, repository: Repository, { fork }: Pull) {
  if (!fork) return {}
  const [owner = '', name = ''] = fork.split('/')
  return { repo: { ...repositoryShape(world, { ...repository, owner, name, fullName: fork }), id: 1, fork: true } }
}

/** What only the single pull request has. */
export function wholePullShape(world: World, repository: Repository, pull: Pull): Record<string, unknown> {
  return {
    ...pullShape(world, repository, pull),
    merged: pull.merged,
    mergeable: pull.state === 'open',
    rebaseable: null,
    mergeable_state: 'clean',
    merged_by: pull.merged ? userShape(world, pull.author) : null,
    ...{
      comments: 0,
      review_comments: 0,
      maintainer_can_modify: false,
      commits: 1,
      additions: 0,
      deletions: 0,
      changed_files: 0,
    },
  }
}

export function commentShape(world: World, repository: Repository, comment: Comment): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}`
  return {
    url: `${api}/issues/comments/${comment.id}`,
    html_url: `${world.url}/${repository.fullName}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.number}`,
    id: comment.id,
    node_id: `IC_${comment.id}`,
    user: userShape(world, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: 'MEMBER',
    body: comment.body,
    performed_via_github_app: appThatWrote(world, comment),
  }
}

/** GitHub names the app whose token wrote it. */
function appThatWrote(world: World, comment: Comment): unknown {
  const app = world.apps.find(({ slug }) => comment.author === `${slug}[bot]`)
  return app ? appShape(world, app) : null
}

/** The issue that a comment is on: nearly always a pull request. */
export function issueShape(
  world: World,
  repository: Repository,
  on: { number: number; by: string },
): Record<string, unknown> {
  const pull = repository.pulls.get(on.number)
  const url = `${world.url}/api/v3/repos/${repository.fullName}/issues/${on.number}`
  const pullLinks = {
    url: `${url}/pull`,
    html_url: `${world.url}/${repository.fullName}/pull/${on.number}`,
    diff_url: url,
    patch_url: url,
  }
  return {
    url,
    id: on.number,
    number: on.number,
    title: pull?.title ?? 'An issue',
    state: pull?.state ?? 'open',
    locked: false,
    body: pull?.body ?? '',
    user: userShape(world, pull?.author ?? on.by),
    labels: [],
    ...(pull ? { pull_request: pullLinks } : {}),
  }
}
