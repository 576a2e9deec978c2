import { parseComment } from './command.ts'
import type { App } from './context.ts'
import { CommentPayload, repositoryOf } from './payload.ts'

/** A comment with commands, written down. Ordinary comments, bots and plain issues are no business of ours. */
export async function onCommand(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = CommentPayload.parse(event.payload)
  const { comment, issue, sender } = payload
  const repository = repositoryOf(payload)
  const isBot = [comment.user, sender].some(({ type, login }) => type === 'Bot' || login.endsWith('[bot]'))
  if (!repository || isBot || !issue.pull_request || sender.login !== comment.user.login) return
  if (parseComment(comment.body ?? '').length === 0) return
  const id = await app.store.comments.insert({
    repository,
    number: issue.number,
    commentId: comment.id,
    author: comment.user.login,
    url: comment.html_url,
    body: comment.body ?? '',
    delivery: event.id,
  })
  app.engine.wake(`comment:${id}`)
}
