import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '../../src/config/parse.ts'
import { deploy } from '../../src/deploy.ts'
import type { Io } from '../../src/io.ts'
import type { Outcome } from '../../src/outcome.ts'
import type { Connection, Platform } from '../../src/platforms/platform.ts'
import type { RollbackTo, Trigger } from '../../src/request.ts'
import { rollback } from '../../src/rollback.ts'
import { gitSource } from '../../src/source-git.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { arrayLog, testIo } from './io.ts'
import { memoryGitHub } from './memory-github.ts'
import { addCommit, type Content, git, temporaryFolder } from './repository.ts'

/** For a platform in memory. */
const nowhere = { baseUrl: '', credentials: {} }

/** A repository, a ledger and the two stories for one agent, `a`, below `bots/a`; `at` is where its platform runs. */
export function startStory(platform: Platform, at: Pick<Connection, 'baseUrl' | 'credentials'> = nowhere) {
  const folder = temporaryFolder()
  const repository = join(folder.path, 'repository')
  const github = memoryGitHub()
  const log = arrayLog()
  let runs = 0
  git(folder.path, 'init', '-q', '-b', 'main', 'repository')

  function ioWith(over: Partial<Io>): Io {
    const scratch = mkdtempSync(join(folder.path, 'scratch-'))
    const { signal } = new AbortController()
    const source = gitSource({
      directory: repository,
      scratch,
      signal,
      history: (range) => readGitHistory(range, { directory: repository, signal }),
    })
    return testIo({ log, github, source, scratch, ...(at === nowhere ? {} : { fetch }), ...over })
  }

  async function requestAt(commit: string, trigger: Partial<Trigger>) {
    const text = (await ioWith({}).source.readFile('.github/agents.yml', commit)) ?? ''
    const config = parseConfig(text, { path: '.github/agents.yml', platforms: [platform] })
    const by = { kind: 'push', actor: 'ada', ref: undefined, url: undefined, id: `run-${++runs}`, ...trigger } as const
    const connection = { name: 'c', platform: platform.id, ...at }
    return { config, agents: ['a'], trigger: by, dryRun: false, wait: true, connect: () => connection }
  }

  return {
    github,
    log,
    remove: () => folder.remove(),

    /** `tree` is below the agent's path; `entry` is the agent's in the config file. */
    commit(message: string, tree: Readonly<Record<string, Content>>, entry: Readonly<Record<string, unknown>> = {}) {
      const agent = { platform: platform.id, id: 'x', path: 'bots/a', ...entry }
      const config = JSON.stringify({ version: 1, agents: { a: agent } })
      const files = Object.entries(tree).map(([path, content]) => [`bots/a/${path}`, content] as const)
      return addCommit(repository, { message, tree: { '.github/agents.yml': config, ...Object.fromEntries(files) } })
    },

    async deploy(
      commit: string,
      over: { io?: Partial<Io>; trigger?: Partial<Trigger>; dryRun?: boolean } = {},
    ): Promise<Outcome> {
      const request = { ...(await requestAt(commit, over.trigger ?? {})), commit, dryRun: over.dryRun ?? false }
      return only(await deploy(request, ioWith(over.io ?? {})))
    },

    async rollback(
      head: string,
      to: RollbackTo = { kind: 'previous' },
      over: { io?: Partial<Io>; trigger?: Partial<Trigger>; dryRun?: boolean } = {},
    ): Promise<Outcome> {
      const request = {
        ...(await requestAt(head, { kind: 'comment', ...over.trigger })),
        dryRun: over.dryRun ?? false,
        head,
        to,
        reason: undefined,
        cleanupFailed: true,
      }
      return only(await rollback(request, ioWith(over.io ?? {})))
    },
  }
}

function only(outcomes: readonly Outcome[]): Outcome {
  const [outcome] = outcomes
  if (!outcome) throw new Error('there is no outcome')
  return outcome
}
