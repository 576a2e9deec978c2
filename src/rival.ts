import * as z from 'zod/mini'
import type { Draft } from './draft.ts'
import { explain, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import { Deployment, isOpen, type LedgerRecord, payloadOf, readStatuses } from './ledger.ts'
import type { Outcome } from './outcome.ts'
import { short } from './plan.ts'
import { close, type Entry } from './record.ts'

/** Two runs that begin within the same seconds; more than a few records come in between only by chance. */
const pageSize = 30

interface Own {
  /** Of the record that was just opened. */
  readonly id: number | undefined
  /** What was on record when this run looked. */
  readonly recent: readonly LedgerRecord[]
  readonly io: Io
}

/**
 * Gives way to another run that has opened a record for the same content of the same commit since this one looked. Both have
 * written theirs before they look again: GitHub's numbers decide, the lower one goes on, so exactly one does. Whoever asks
 * by hand means it.
 */
export async function standBack(entry: Entry, given: Own & { draft: Draft }): Promise<Outcome | undefined> {
  const { id, io } = given
  const { trigger, commit } = entry
  const isAutomatic = trigger.kind === 'push' || trigger.kind === 'release'
  if (id === undefined || !isAutomatic || (await io.journal.get('deploy.asking')) !== undefined) return undefined
  const rival = await findRival(entry, { ...given, id })
  if (!rival) return undefined
  const message = `Another run (${rival}) is deploying the same content of commit ${short(commit)}.`
  const outcome = given.draft.end('skipped', 'in-progress', message)
  await close(outcome, { id, logUrl: trigger.url, io })
  return outcome
}

async function findRival(entry: Entry, { id, recent, io }: Own & { id: number }): Promise<string | undefined> {
  const { github } = io
  if (!github) return undefined
  const { name, environment } = entry.agent
  // What is older was there when the plan was made.
  const seen = Math.max(0, ...recent.map((record) => record.id))
  try {
    const asked = { environment, per_page: pageSize, page: 1 }
    const { data } = await github.request('GET /repos/{owner}/{repo}/deployments', asked)
    for (const { id: theirs, task, payload: raw } of z.array(Deployment).parse(data)) {
      const isBetween = theirs > seen && theirs < id
      const payload = isBetween && task !== 'rollback' ? payloadOf(raw) : undefined
      if (payload?.agent !== name || payload.commit !== entry.commit) continue
      if (payload.digest !== (entry.digest ?? null)) continue
      const statuses = await readStatuses(github, theirs)
      if (isOpen({ statuses }) || statuses.some(({ state }) => state === 'success'))
        return `${payload.trigger} by ${payload.actor}`
    }
  } catch (error) {
    if (error instanceof Postponed) throw error
    // The ledger is a help, not a condition.
    io.log.warn(`The ledger on GitHub could not be read again (${explain(error).message}).`)
  }
  return undefined
}
