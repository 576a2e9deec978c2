import type { GitCommit } from './git.ts'
import { type App, type Repository, type User, userOf, type World } from './state.ts'

/** GitHub's JSON of things, as full as its description asks for. */

export const links = (at: string, names: readonly string[]) => Object.fromEntries(names.map((name) => [name, at]))

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
    archived: repository.archived,
    disabled: false,
    visibility: repository.private ? 'private' : 'public',
    pushed_at: repository.pushedAt,
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
