import { z } from 'zod'
import type { GitHub } from '../src/io.ts'
import { isStatus } from './permission.ts'

/** GitHub's limit of a comment (REST: "Create an issue comment"). */
const commentLength = 65_536

/** Where a command was written. */
export interface Command {
  /** Number of the pull request. */
  readonly number: number
  readonly commentId: number
}

const Comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ type: z.string().nullish() }).nullish(),
})

/**
 * The one reply to a command: created once, edited afterwards. `known` is the id of the reply when it is remembered;
 * after a crash it is found by its marker, which nobody else's text can fake (comments of people are not looked at).
 */
export async function reply(
  github: GitHub,
  to: Command & { known: number | undefined; body: string },
): Promise<number> {
  const marker = `<!-- agent-deploy reply to ${to.commentId} -->`
  const body = `${to.body.slice(0, commentLength - marker.length - 2)}\n\n${marker}`
  const id = to.known ?? (await findReply(github, { number: to.number, marker }))
  if (id === undefined) {
    const { data } = await github.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: to.number,
      body,
    })
    return Comment.parse(data).id
  }
  await github.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { comment_id: id, body })
  return id
}

async function findReply(github: GitHub, at: { number: number; marker: string }): Promise<number | undefined> {
  for (let page = 1; ; page++) {
    const { data } = await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: at.number,
      per_page: 100,
      page,
    })
    const comments = z.array(Comment).parse(data)
    const found = comments.find(({ body, user }) => user?.type === 'Bot' && body?.endsWith(at.marker))
    if (found) return found.id
    if (comments.length < 100) return undefined
  }
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
