import { z } from 'zod'
import type { App } from './context.ts'
import { installationGitHub } from './github.ts'
import { readHead } from './newest.ts'
import type { Budget, Reach, Seen } from './reconcile-budget.ts'
import { readLedger } from './reconcile-ledger.ts'
import { separately } from './separately.ts'

/** A webhook may be minutes late; a push that is younger is left to it. */
const lateMs = 3 * 60_000
/** The most GitHub lists at once. */
const pageSize = 100

const Installations = z.array(z.object({ id: z.number(), suspended_at: z.string().nullish() }))
const Listed = z.object({
  id: z.number(),
  name: z.string(),
  owner: z.object({ login: z.string() }),
  html_url: z.string(),
  default_branch: z.string(),
  pushed_at: z.string().nullish(),
  archived: z.boolean().optional(),
  disabled: z.boolean().optional(),
})
type Listed = z.infer<typeof Listed>
const Repositories = z.object({ repositories: z.array(Listed) })

/** A push that nobody told us about is taken in as if its webhook had come; its GUID says what it is about. */
export async function findMissedPushes(
  app: App,
  given: { reach: Reach; budget: Budget; seen: Seen; graceMs?: number },
): Promise<void> {
  const { reach, budget } = given
  const all: { readonly id: number }[] = []
  for await (const installation of list(budget, async (page) => {
    const octokit = await reach.app()
    const { data } = await octokit.request('GET /app/installations', { per_page: pageSize, page })
    return Installations.parse(data)
  })) {
    if (!installation.suspended_at) all.push(installation)
  }
  // Where the last run ended: with many, each has its turn.
  const mark = (await app.store.turns.read('installation')) ?? 0
  const [before, after] = [all.filter(({ id }) => id <= mark), all.filter(({ id }) => id > mark)]
  for (const installation of [...after, ...before]) {
    if (budget.left <= 0) return
    await separately(app, () => compareAll(installation, { ...given, app }))
    await app.store.turns.write('installation', installation.id)
  }
}

async function compareAll(installation: { readonly id: number }, around: Omit<Around, 'installation'>): Promise<void> {
  const { reach, budget } = around
  const octokit = await reach.octokit(installation.id)
  const repositories = list(budget, async (page) => {
    const { data } = await octokit.request('GET /installation/repositories', { per_page: pageSize, page })
    return Repositories.parse(data).repositories
  })
  for await (const repository of repositories) await compare(repository, { ...around, installation })
}

async function* list<T>(budget: Budget, read: (page: number) => Promise<readonly T[]>): AsyncGenerator<T> {
  for (let page = 1; budget.left-- > 0; page++) {
    const items = await read(page)
    yield* items
    if (items.length < pageSize) return
  }
}

interface Around {
  readonly app: App
  readonly reach: Reach
  readonly budget: Budget
  readonly seen: Seen
  readonly installation: { readonly id: number }
  readonly graceMs?: number
}

async function compare(repository: Listed, around: Around): Promise<void> {
  const { app, reach, budget, seen, installation, graceMs = lateMs } = around
  const pushedAt = repository.pushed_at ?? ''
  const isRecent = Date.parse(pushedAt) > app.clock.now() - graceMs
  if (repository.archived || repository.disabled || seen.get(repository.id) === pushedAt || isRecent) return
  const known = new Map((await app.store.heads.of(repository.id)).map(({ branch, sha }) => [branch, sha]))
  const octokit = await reach.octokit(installation.id)
  const place = { owner: repository.owner.login, repo: repository.name, webUrl: repository.html_url }
  const github = installationGitHub(octokit, { repository: place, clock: app.clock })
  for (const branch of new Set([repository.default_branch, ...known.keys()])) {
    if (budget.left-- <= 0) return
    const sha = await readHead(github, branch)
    if (sha === undefined) await app.store.heads.forget(repository.id, branch)
    // A repository that is new here begins with what it has: nobody has missed anything yet.
    else if (!known.has(branch)) await app.store.heads.record(repository.id, { branch, sha })
    else if (known.get(branch) !== sha)
      await takeIn({ repository, branch, sha, before: known.get(branch) ?? '' }, around)
  }
  const { id, html_url: webUrl, default_branch: defaultBranch } = repository
  const facts = { ...place, id, webUrl, defaultBranch, installation: installation.id }
  if (!(await readLedger(facts, { app, github, budget }))) return
  seen.set(repository.id, pushedAt)
}

async function takeIn(
  push: { repository: Listed; branch: string; sha: string; before: string },
  { app, installation }: Around,
): Promise<void> {
  const { repository, branch, sha, before } = push
  if (await app.store.heads.isWanted(repository.id, sha))
    return await app.store.heads.record(repository.id, { branch, sha })
  const guid = `missed-${repository.id}-${sha}`
  const { id, name, owner, html_url, default_branch } = repository
  const payload = {
    ref: `refs/heads/${branch}`,
    before,
    after: sha,
    repository: { id, name, owner, html_url, default_branch },
    // Nobody knows who it was; GitHub's own name for nobody.
    sender: { login: 'ghost', type: 'User' },
    installation: { id: installation.id },
  }
  const delivery = { guid, event: 'push', body: JSON.stringify(payload), receivedAt: app.clock.now() }
  await app.store.deliveries.insert([delivery])
  await app.store.heads.record(repository.id, { branch, sha })
  app.engine.wake(`delivery:${guid}`)
  app.log.warn(`a push to ${branch} did not arrive, and is taken in now`, {
    delivery: guid,
    repository: `${owner.login}/${name}`,
    commit: sha,
  })
}
