import type { GitCommit } from './git.ts'
import {
  type App,
  type Comment,
  type Deployment,
  type DeploymentStatus,
  type Pull,
  type Release,
  type Repository,
  type User,
  userOf,
  type World,
} from './state.ts'

/** GitHub's JSON of things, as full as its description asks for. */

const links = (at: string, names: readonly string[]) => Object.fromEntries(names.map((name) => [name, at]))

export function userShape(world: World, login: string): Record<string, unknown> {
  const user: User = userOf(world, login)
  const api = `${world.url}/api/v3/users/${encodeURIComponent(user.login)}`
  const names = [
    'followers_url',
    'following_url',
    'gists_url',
    'starred_url',
    'subscriptions_url',
    'organizations_url',
    'repos_url',
    'events_url',
    'received_events_url',
  ]
  return {
    login: user.login,
    id: user.id,
    node_id: `U_${user.id}`,
    avatar_url: `${world.url}/avatars/${user.id}`,
    gravatar_id: '',
    url: api,
    html_url: `${world.url}/${encodeURIComponent(user.login)}`,
    ...links(api, names),
    type: user.type,
    site_admin: false,
  }
}

const repositoryUrls = [
  'archive_url',
  'assignees_url',
  'blobs_url',
  'branches_url',
  'collaborators_url',
  'comments_url',
  'commits_url',
  'compare_url',
  'contents_url',
  'contributors_url',
  'deployments_url',
  'downloads_url',
  'events_url',
  'forks_url',
  'git_commits_url',
  'git_refs_url',
  'git_tags_url',
  'hooks_url',
  'issue_comment_url',
  'issue_events_url',
  'issues_url',
  'keys_url',
  'labels_url',
  'languages_url',
  'merges_url',
  'milestones_url',
  'notifications_url',
  'pulls_url',
  'releases_url',
  'stargazers_url',
  'statuses_url',
  'subscribers_url',
  'subscription_url',
  'tags_url',
  'teams_url',
  'trees_url',
] as const

export function repositoryShape(world: World, repository: Repository): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}`
  const web = `${world.url}/${repository.fullName}`
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: repository.fullName,
    private: repository.private,
    owner: userShape(world, repository.owner),
    html_url: web,
    description: null,
    fork: false,
    url: api,
    ...links(api, repositoryUrls),
    git_url: `git://127.0.0.1/${repository.fullName}.git`,
    ssh_url: `git@127.0.0.1:${repository.fullName}.git`,
    clone_url: `${web}.git`,
    svn_url: web,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks_count: 0,
    stargazers_count: 0,
    watchers_count: 0,
    size: 0,
    default_branch: repository.defaultBranch,
    open_issues_count: 0,
    topics: [],
    ...{
      has_issues: true,
      has_projects: false,
      has_wiki: false,
      has_pages: false,
      has_downloads: false,
      has_discussions: false,
    },
    archived: false,
    disabled: false,
    visibility: repository.private ? 'private' : 'public',
    pushed_at: '2026-01-01T00:00:00Z',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    ...{ forks: 0, open_issues: 0, watchers: 0, network_count: 0, subscribers_count: 0 },
  }
}

export function commitShape(world: World, repository: Repository, commit: GitCommit): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}`
  const parent = (sha: string) => ({
    sha,
    url: `${api}/commits/${sha}`,
    html_url: `${world.url}/${repository.fullName}/commit/${sha}`,
  })
  return {
    ...parent(commit.sha),
    node_id: `C_${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    commit: {
      url: `${api}/git/commits/${commit.sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    author: null,
    committer: null,
    parents: commit.parents.map(parent),
  }
}

export function appShape(world: World, app: App): Record<string, unknown> {
  return {
    id: app.id,
    slug: app.slug,
    node_id: `A_${app.id}`,
    client_id: `Iv1.${app.id}`,
    owner: userShape(world, 'sandbox'),
    name: app.name,
    description: null,
    external_url: world.url,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    permissions: app.permissions,
    events: app.events,
  }
}

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
    head: side(pull.head, pull.headSha),
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
    performed_via_github_app: null,
  }
}

export function deploymentShape(world: World, repository: Repository, deployment: Deployment): Record<string, unknown> {
  const url = `${world.url}/api/v3/repos/${repository.fullName}/deployments/${deployment.id}`
  const last = deployment.statuses.at(-1)
  return {
    url,
    id: deployment.id,
    node_id: `D_${deployment.id}`,
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: userShape(world, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: last?.createdAt ?? deployment.createdAt,
    statuses_url: `${url}/statuses`,
    repository_url: `${world.url}/api/v3/repos/${repository.fullName}`,
    transient_environment: false,
    production_environment: true,
  }
}

export function deploymentStatusShape(
  world: World,
  repository: Repository,
  of: { deployment: Deployment; status: DeploymentStatus },
): Record<string, unknown> {
  const { deployment, status } = of
  const url = `${world.url}/api/v3/repos/${repository.fullName}/deployments/${deployment.id}`
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: `DS_${status.id}`,
    state: status.state,
    creator: userShape(world, status.creator),
    description: status.description,
    environment: deployment.environment,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: url,
    repository_url: `${world.url}/api/v3/repos/${repository.fullName}`,
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
  }
}

export function releaseShape(world: World, repository: Repository, release: Release): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}/releases/${release.id}`
  return {
    url: api,
    html_url: `${world.url}/${repository.fullName}/releases/tag/${encodeURIComponent(release.tag)}`,
    assets_url: `${api}/assets`,
    upload_url: `${api}/assets{?name,label}`,
    tarball_url: null,
    zipball_url: null,
    id: release.id,
    node_id: `RE_${release.id}`,
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name,
    body: null,
    draft: release.draft,
    prerelease: release.prerelease,
    created_at: release.createdAt,
    published_at: release.draft ? null : release.createdAt,
    author: userShape(world, release.author),
    assets: [],
  }
}
