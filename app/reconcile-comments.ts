import { z } from 'zod'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'
import { installationGitHub } from './github.ts'
import { takeComment } from './on-command.ts'
import type { Budget, Reach } from './reconcile-budget.ts'
import { separately } from './separately.ts'

/** A webhook may be minutes late; a comment that is younger is left to it. */
const lateMs = 3 * 60_000
/** What was too young to be looked at the last time is not now. */
const overlapMs = 2 * lateMs
/** Older ones are not even answered any more: nobody is waiting. */
const windowMs = 24 * 60 * 60_000
/** Asked for from the beginning of an hour: so the question stays the same for an hour, and its answer an unchanged one. */
const stepMs = 60 * 60_000
/** Calls of a run: one for each repository, and those that were looked at longest ago come first. */
const mostCalls = 50
const pageSize = 100

const Comments = z.array(
  z.object({
    id: z.number(),
    body: z.string().nullish(),
    html_url: z.string(),
    issue_url: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    user: z.object({ login: z.string(), type: z.string() }).nullish(),
  }),
)
type Comment = z.infer<typeof Comments>[number]

/**
 * Commands whose webhook never came, in repositories that have agents. What is too old to be carried out is answered
 * politely when it is decided about.
 */
export async function findMissedComments(
  app: App,
  given: { reach: Reach; budget: Budget; graceMs?: number },
): Promise<void> {
  const { budget } = given
  let left = mostCalls
  for (const { repository, seenAt } of await byAge(app)) {
    if (left-- <= 0 || budget.left-- <= 0) return
    await separately(app, async () => {
      const began = app.clock.now()
      const since = Math.max(began - windowMs, (seenAt ?? began) - overlapMs)
      for (const comment of await readComments(repository, { ...given, app, since }))
        await takeMissed(comment, { ...given, app, repository })
      await app.store.turns.write(markOf(repository), began)
    })
  }
}

async function byAge({ store }: App): Promise<{ repository: Repository; seenAt: number | undefined }[]> {
  const all: { repository: Repository; seenAt: number | undefined }[] = []
  for (const repository of await store.heads.repositories())
    all.push({ repository, seenAt: await store.turns.read(markOf(repository)) })
  return all.sort((a, b) => (a.seenAt ?? 0) - (b.seenAt ?? 0))
}

function markOf({ id }: Repository): string {
  return `comments.${id}`
}

async function readComments(
  repository: Repository,
  given: { app: App; reach: Reach; since: number },
): Promise<readonly Comment[]> {
  const octokit = await given.reach.octokit(repository.installation)
  const github = installationGitHub(octokit, { repository, clock: given.app.clock })
  const { data } = await github.request('GET /repos/{owner}/{repo}/issues/comments', {
    since: new Date(Math.floor(given.since / stepMs) * stepMs).toISOString(),
    // A repository with more in an hour has its newest looked at.
    ...{ sort: 'created', direction: 'desc', per_page: pageSize },
  })
  return Comments.parse(data).reverse()
}

async function takeMissed(
  comment: Comment,
  { app, repository, graceMs = lateMs }: { app: App; repository: Repository; graceMs?: number },
): Promise<void> {
  const { user, issue_url: issue, ...rest } = comment
  const number = Number(issue.split('/').at(-1))
  const isYoung = Date.parse(comment.created_at) > app.clock.now() - graceMs
  // What was edited may have had no command when it was written; issues that are no pull requests have none.
  const isEdited = comment.created_at !== comment.updated_at
  if (!user || isYoung || isEdited || !comment.html_url.includes('/pull/')) return
  if (await app.store.comments.read(`${repository.id}/${comment.id}`)) return
  const delivery = `missed-${repository.id}-${comment.id}`
  if (await takeComment({ comment: { ...rest, user }, repository, number, delivery }, app))
    app.log.warn('a command did not arrive, and is taken in now', { delivery, number })
}
