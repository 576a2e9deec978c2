import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitHub, Io, Journal, LogFields } from '../src/io.ts'
import { gitHubSource } from '../src/source-github.ts'
import { type PushedCommit, readGitHubHistory } from '../src/version/history-github.ts'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'
import { placeOf } from './github.ts'
import { withFields } from './log.ts'

/** Gives the core what it may touch, in a folder of its own that is gone afterwards. */
export async function withIo<T>(
  app: App,
  given: {
    repository: Pick<Repository, 'id' | 'installation'>
    github: GitHub
    journal: Journal
    fields: LogFields
    pushed?: readonly PushedCommit[]
  },
  work: (io: Io) => Promise<T>,
): Promise<T> {
  const { github, journal, fields, pushed } = given
  const place = placeOf(given.repository)
  const scratch = await mkdtemp(join(app.scratch, 'work-'))
  // Nothing aborts it: a stop waits for a while, and what it cuts short is taken up from the step log.
  const { signal } = new AbortController()
  const source = gitHubSource({
    github,
    borrow: (commit) => app.checkouts.borrow({ place, commit, github, signal }),
    history: (range) => app.histories(place, range, (wanted) => readGitHubHistory(wanted, github, { pushed })),
  })
  const log = withFields(app.log, fields)
  try {
    const { clock, fetch, inTurn } = app
    return await work({ log, clock, fetch, signal, source, github, journal, scratch, inTurn })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** For what changes nothing. */
export function noJournal(): Journal {
  return {
    get: async () => undefined,
    async put() {
      // There is no effect to remember.
    },
    async checkpoint() {
      // There is no effect to stop.
    },
  }
}
