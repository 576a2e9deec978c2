import { execFile } from 'node:child_process'
import { mkdtemp, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { reconfigured, selectAffected } from '../affected.ts'
import type { Config } from '../config/config.ts'
import { checkConfig } from '../config/parse.ts'
import { DeployError, fail } from '../errors.ts'
import type { GitHub, HistoryRange, Io, Journal, Log, LogFields } from '../io.ts'
import { platforms } from '../platforms/index.ts'
import { gitSource } from '../source-git.ts'
import { readGitHistory } from '../version/history-git.ts'
import { readGitHubHistory } from '../version/history-github.ts'
import { sharedHistory } from '../version/history-shared.ts'
import type { History } from '../version/version.ts'
import { configure } from './configure.ts'
import type { Context } from './context.ts'
import type { Inputs } from './inputs.ts'
import { useProxy } from './proxy.ts'
import type { Runner } from './runner.ts'
import { traceFetch } from './trace.ts'

const run = promisify(execFile)

export interface Prepared {
  readonly config: Config
  readonly io: Io
  /** Names of the agents that are meant. */
  readonly agents: readonly string[]
  /** The commit that is checked out. */
  readonly head: string
}

interface Given {
  readonly inputs: Inputs
  readonly context: Context
  readonly runner: Runner
  readonly redact: (text: string) => string
  readonly signal: AbortSignal
}

/** Config, commit, agents and everything the core may touch, from the runner. */
export async function prepare(given: Given): Promise<Prepared> {
  const { inputs, context, runner, signal } = given
  const unused = await useProxy(runner.env)
  if (unused) runner.warning(unused)
  const directory = await realpath(context.workspace)
  const scratch = await mkdtemp(join(context.temp, 'agent-deploy-'))
  let agents: readonly string[] = inputs.agent ?? []
  const log = logTo(given, () => agents.length > 1)
  const github = await gitHubOf({ ...given, log })
  const from = { directory, scratch, signal, github }
  const history = sharedHistory((range) => readHistory(range, from), { isForSeveral: () => agents.length > 1 })
  const source = gitSource({ directory, scratch, signal, history })
  const head = await headOf(directory)
  const config = await configure(inputs, { platforms, readFile: (path) => source.readFile(path, head) })
  const traced = traceFetch(fetch, { log, clock: wallClock })
  const io: Io = { log, clock: wallClock, fetch: traced, signal, source, github, journal: noJournal(), scratch }
  agents = inputs.agent ?? (await changedAgents(config, { head, context, io, inputs }))
  return { config, io, head, agents }
}

async function headOf(directory: string): Promise<string> {
  try {
    return (await run('git', ['-C', directory, 'rev-parse', 'HEAD'])).stdout.trim()
  } catch (error) {
    throw fail(
      'history-incomplete',
      { from: 'the live commit', to: 'HEAD', problem: `"${directory}" is not a git repository` },
      error,
    )
  }
}

async function gitHubOf(given: Given & { log: Log }): Promise<GitHub | undefined> {
  const { inputs, context, signal, redact, log } = given
  const token = inputs['github-token']
  const { repository, webUrl, apiUrl } = context
  if (!token || !repository) return undefined
  const { connectGitHub } = await import('./github.ts')
  return connectGitHub({ ...repository, token, webUrl, apiUrl, clock: wallClock, log, signal, redact })
}

/** The clone, deepened when it is shallow; else GitHub's API; else a clear error. Never a guess. */
async function readHistory(
  range: HistoryRange,
  from: { directory: string; scratch: string; signal: AbortSignal; github: GitHub | undefined },
): Promise<History> {
  try {
    return await readGitHistory(range, from)
  } catch (error) {
    const incomplete = error instanceof DeployError && error.code === 'history-incomplete'
    if (!incomplete || !from.github) throw error
    return await readGitHubHistory(range, from.github)
  }
}

/** The agents that a push changed; all where that can't be known, and for anything but a push. */
async function changedAgents(
  config: Config,
  from: { head: string; context: Context; io: Io; inputs: Inputs },
): Promise<readonly string[]> {
  const all = config.agents.map(({ name }) => name)
  const { context, head, io, inputs } = from
  const branch = context.trigger.ref?.replace(/^refs\/heads\//, '')
  if (inputs.command !== 'deploy' || context.trigger.kind !== 'push' || !context.before || !branch) return all
  const changedPaths = await pathsSince(context.before, head, io)
  if (changedPaths === undefined) return all
  // The workflow's own triggers have chosen the branch already.
  const pushed = {
    ...config,
    agents: config.agents.map((agent) => ({ ...agent, deploy: { ...agent.deploy, on: 'push' as const, branch } })),
  }
  const changed = changedPaths.includes(config.path)
  const event = {
    ...{ kind: 'push' as const, branch, defaultBranch: branch, changedPaths },
    ...(changed && { reconfigured: reconfigured(config, await configAt(context.before, { config, io })) }),
  }
  return selectAffected(pushed, event).map(({ name }) => name)
}

async function configAt(commit: string, { config, io }: { config: Config; io: Io }): Promise<Config | undefined> {
  const text = await io.source.readFile(config.path, commit)
  const checked = text === undefined ? undefined : checkConfig(text, config)
  return checked && 'config' in checked ? checked.config : undefined
}

async function pathsSince(before: string, head: string, io: Io): Promise<readonly string[] | undefined> {
  try {
    const history = await io.source.history({ from: before, to: head, withFiles: true })
    if (history.relation !== 'ahead') return undefined
    return history.commits.flatMap(({ files }) => files ?? [])
  } catch (error) {
    if (error instanceof DeployError && error.code === 'history-incomplete') return undefined
    throw error
  }
}

/** With several agents, each has a group of its own in the log. */
function logTo({ runner, redact, context }: Given, isGrouped: () => boolean): Io['log'] {
  let group: unknown
  const say = (message: string, fields: LogFields | undefined) => {
    if (isGrouped() && fields?.['agent'] !== undefined && fields['agent'] !== group) {
      if (group !== undefined) runner.endGroup()
      group = fields['agent']
      runner.startGroup(redact(String(group)))
    }
    runner.info(redact(message))
  }
  return {
    debug: (message) => (context.debug ? runner.info(redact(message)) : runner.debug(redact(message))),
    info: say,
    warn: (message, fields) => say(`! ${message}`, fields),
    error: (message, fields) => say(`! ${message} ${fields?.['stack'] ?? ''}`, fields),
  }
}

export const wallClock: Io['clock'] = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    const { setTimeout: sleep } = await import('node:timers/promises')
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}

/** A step's run either ends or is lost with its machine: there is nothing to go on from. */
function noJournal(): Journal {
  const steps = new Map<string, unknown>()
  return {
    async get<T>(step: string) {
      // The map holds what `put` was given under the same name.
      return steps.get(step) as T | undefined
    },
    async put(step, value) {
      steps.set(step, value)
    },
    async checkpoint() {
      // Nothing overtakes a workflow step; its cancellation comes by the signal.
    },
  }
}
