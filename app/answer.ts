import { Postponed } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import { nextTry } from './backoff.ts'
import { parseComment } from './command.ts'
import type { App } from './context.ts'
import type { Asked } from './asked.ts'
import { decide, type Decided } from './decide.ts'
import type { CommentRow } from './engine/comments.ts'
import { readCommander } from './permission.ts'
import { readPull, touchedAgents } from './pull.ts'
import { summarize } from './render-sticky.ts'
import { showPull } from './show.ts'
import { react } from './sticky-comment.ts'

/** After these tries (some hours) nobody waits for the answer any more. */
const mostTries = 60
/** How often it is tried to write while others do, every half second. */
const showTries = 20
/** A rollback is shown before it is done, but whoever waits for it has more to lose than a text. */
const progressTries = 6

/** Works on one comment: decides about its commands once, then shows how they go. Returns when to come back. */
export async function answerComment(id: string, app: App): Promise<number | undefined> {
  const row = await app.store.comments.read(id)
  if (!row || row.state === 'done') return undefined
  const now = app.clock.now()
  if (row.notBefore > now) return row.notBefore
  try {
    const github = await app.github(row.facts.repository)
    if (row.state === 'new') await begin(row, { app, github })
    return (await show(id, { app, github })) ? undefined : app.clock.now()
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    app.log.warn(`the answer to a command is put off: ${text}`, { delivery: row.facts.delivery })
    if (row.tries >= mostTries) return void (await app.store.comments.update(id, { state: 'done' }))
    const named = error instanceof Postponed ? error.notBefore : undefined
    const notBefore = named ?? nextTry({ now, tries: row.tries, spread: (now % 97) / 97 })
    await app.store.comments.update(id, { tries: row.tries + 1, notBefore })
    return notBefore
  }
}

/** Shows where an operation stands, in the middle of it: what a rollback will restore, before it does. */
export async function showProgress(id: string, app: App): Promise<void> {
  const row = await app.store.comments.read(id)
  if (row?.state !== 'answered') return
  try {
    const github = await app.github(row.facts.repository)
    await showPull(row, { app, github, tries: progressTries })
  } catch (error) {
    // A comment that can't be edited now is no reason to leave a bad version live; it is edited at the end.
    const text = error instanceof Error ? error.message : String(error)
    app.log.warn(`the comment could not be edited: ${text}`, { delivery: row.facts.delivery })
  }
}

interface Around {
  readonly app: App
  readonly github: GitHub
}

/** Eyes, decisions, the answer; and only then the operations, so that the answer is there when they go on. */
async function begin(row: CommentRow, { app, github }: Around): Promise<void> {
  const { facts, id } = row
  await react(github, { commentId: facts.commentId, content: 'eyes' })
  const asked = ask(row, { app, github })
  const decided: Decided[] = []
  for (const [index, command] of parseComment(facts.body).entries())
    decided.push(await decide(command, { index, asked }))
  const sections = decided.map(({ section }) => section)
  const keys = await app.store.agents.enqueue(
    facts.repository,
    decided.flatMap(({ wanted }) => wanted),
  )
  await app.store.comments.update(id, { sections, state: 'answered', tries: 0 })
  try {
    await showPull({ ...row, sections, state: 'answered' }, { app, github, tries: showTries })
  } finally {
    // A command is carried out whether or not its answer can be written.
    for (const key of keys) app.engine.wake(`agent:${key}`)
  }
}

function ask(row: CommentRow, { app, github }: Around): Asked {
  const { facts, id } = row
  const commander = once(() => readCommander(github, facts.author))
  const config = once(() => app.configs.demand(github, facts.repository.defaultBranch))
  const pull = once(() => readPull(github, facts.number))
  const touched = once(async () => touchedAgents(github, { number: facts.number, config: await config() }))
  return { app, facts, id, github, commander, config, pull, touched }
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined
  return () => (reading ??= read())
}

/** The comment as it should read now, and the last reaction once everything has ended. False: come again soon. */
async function show(id: string, { app, github }: Around): Promise<boolean> {
  const row = await app.store.comments.read(id)
  if (row?.state !== 'answered') return true
  if (!(await showPull(row, { app, github, tries: showTries }))) return false
  const operations = await app.store.agents.byComment(id)
  const state = summarize(row.sections, operations)
  if (state === 'open') return true
  await react(github, { commentId: row.facts.commentId, content: state === 'good' ? 'rocket' : 'confused' })
  // An unknown outcome is corrected later: then the comment is, too.
  if (operations.some(({ decision }) => decision === 'unknown')) return true
  await app.store.comments.update(id, { state: 'done' })
  return true
}
