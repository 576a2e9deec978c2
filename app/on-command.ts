import { parseComment } from './command.ts'
import type { App } from './context.ts'
import type { CommentFacts } from './engine/comments.ts'
import { CommentPayload, repositoryOf } from './payload.ts'

/** A comment with commands, written down. Ordinary comments, bots and plain issues are no business of ours. */
export async function onCommand(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = CommentPayload.parse(event.payload)
  const { comment, issue, sender } = payload
  const repository = repositoryOf(payload)
  if (!repository || !issue.pull_request || sender.login !== comment.user.login || isBot(sender)) return
  await takeComment({ comment, repository, number: issue.number, delivery: event.id }, app)
}

/** Once per comment, however often and by whatever way it comes; true when it has commands. */
export async function takeComment(
  said: Pick<CommentFacts, 'repository' | 'number' | 'delivery'> & { comment: CommentPayload['comment'] },
  app: App,
): Promise<boolean> {
  const { comment, ...at } = said
  if (isBot(comment.user) || parseComment(comment.body ?? '').length === 0) return false
  const id = await app.store.comments.insert({
    ...at,
    commentId: comment.id,
    author: comment.user.login,
    url: comment.html_url,
    body: comment.body ?? '',
    writtenAt: Date.parse(comment.created_at),
  })
  app.engine.wake(`comment:${id}`)
  return true
}

function isBot({ type, login }: { type: string; login: string }): boolean {
  return type === 'Bot' || login.endsWith('[bot]')
}
