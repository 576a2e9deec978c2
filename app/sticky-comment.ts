import { z } from 'zod'
import type { GitHub } from '../src/io.ts'
import { isStatus } from './permission.ts'

/** At the end of the comment; only a comment of this very app is looked at, so nobody's text can fake it. */
export const marker = '<!-- agent-deploy: the comment of this pull request -->'

const Comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ type: z.string().nullish() }).nullish(),
  performed_via_github_app: z.object({ id: z.number() }).nullish(),
})
type Comment = z.infer<typeof Comment>

/**
 * The one comment of this app on a pull request: created once, edited afterwards. `known` is its id when it is remembered;
 * after a crash it is found by its author and marker. One that somebody has deleted is written anew. Returns its id.
 */
export async function writeSticky(
  github: GitHub,
  to: { number: number; appId: number; known: number | undefined; body: string },
): Promise<number> {
  const { number, body } = to
  if (to.known !== undefined && (await edit(github, { id: to.known, body }))) return to.known
  const found = await findSticky(github, to)
  if (found !== undefined && (await edit(github, { id: found, body }))) return found
  const { data } = await github.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: number,
    body,
  })
  return Comment.parse(data).id
}

/** False when there is no such comment any more. */
async function edit(github: GitHub, to: { id: number; body: string }): Promise<boolean> {
  try {
    await github.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      comment_id: to.id,
      body: to.body,
    })
    return true
  } catch (error) {
    if (isStatus(error, 404)) return false
    throw error
  }
}

async function findSticky(github: GitHub, at: { number: number; appId: number }): Promise<number | undefined> {
  for (let page = 1; ; page++) {
    const { data } = await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: at.number,
      per_page: 100,
      page,
    })
    const comments = z.array(Comment).parse(data)
    const found = comments.find((comment) => isOurs(comment, at.appId))
    if (found) return found.id
    if (comments.length < 100) return undefined
  }
}

/** A person who writes through an app (signed in at one) is not a bot; another app has another id. */
export function isOurs({ body, user, performed_via_github_app: app }: Comment, appId: number): boolean {
  return user?.type === 'Bot' && app?.id === appId && body?.endsWith(marker) === true
}

/** Eyes on receipt, then rocket or confused. A reaction that can't be set is no reason to stop. */
export async function react(
  github: GitHub,
  to: { commentId: number; content: 'eyes' | 'rocket' | 'confused' },
): Promise<void> {
  try {
    await github.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
      comment_id: to.commentId,
      content: to.content,
    })
  } catch (error) {
    if (!isStatus(error, 404) && !isStatus(error, 403)) throw error
  }
}
