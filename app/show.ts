import { createHash, randomUUID } from 'node:crypto'
import type { GitHub } from '../src/io.ts'
import type { App } from './context.ts'
import { type CommentRow, pullKey } from './engine/comments.ts'
import type { Pen } from './engine/stickies.ts'
import { renderSticky } from './render-sticky.ts'
import { marker, writeSticky } from './sticky-comment.ts'

/** While another writes the comment: that takes about as long. */
const restMs = 500

/**
 * Brings the one comment of a pull request up to date. One at a time writes it, and from everything that is known, so no
 * answer gets lost however many commands and instances there are. False: somebody else has been writing it all the while.
 */
export async function showPull(row: CommentRow, given: { app: App; github: GitHub; tries: number }): Promise<boolean> {
  const { app, tries } = given
  const pull = pullKey(row.facts)
  const wish = await app.store.stickies.want(pull)
  for (let count = 0; count < tries; count++) {
    if (count > 0) await app.clock.sleep(restMs)
    if (await app.store.stickies.isReached(pull, wish)) return true
    if (await writeAll(pull, { ...given, number: row.facts.number })) return true
  }
  return false
}

/** Writes until nobody wishes anything more; false when it is somebody else's turn. */
async function writeAll(pull: string, around: { app: App; github: GitHub; number: number }): Promise<boolean> {
  const { stickies } = around.app.store
  for (;;) {
    const pen = await stickies.take(pull, randomUUID())
    if (!pen) return false
    let written: { commentId: number; shown: string } | undefined
    try {
      written = await write(pen, around)
    } catch (error) {
      await stickies.lay(pen, undefined)
      throw error
    }
    if ((await stickies.lay(pen, written)) === 'current') return true
  }
}

async function write(
  pen: Pen,
  { app, github, number }: { app: App; github: GitHub; number: number },
): Promise<{ commentId: number; shown: string }> {
  const rows = await app.store.comments.answered(pen.pull)
  const operations = await Promise.all(rows.map(({ id }) => app.store.agents.byComment(id)))
  const place = { webUrl: github.webUrl }
  const body = app.redact(renderSticky(rows, { operations: operations.flat(), place, marker }))
  const shown = createHash('sha256').update(body).digest('hex')
  if (pen.commentId !== undefined && shown === pen.shown) return { commentId: pen.commentId, shown }
  const commentId = await writeSticky(github, { number, appId: app.appId, known: pen.commentId, body })
  return { commentId, shown }
}
