import { parseArgs } from 'node:util'
import { fail } from '../errors.ts'

/** What a command line asks for. Options have the names of the Action's inputs; agents may be named without `--agent`. */
export interface Arguments {
  readonly command: string
  /** By the names of the Action's inputs. */
  readonly inputs: Readonly<Record<string, string>>
  readonly json: boolean
  readonly help: boolean
  /** `bundle`: show every file. */
  readonly list: boolean
  /** `bundle`: folder that the archives are kept in. */
  readonly output: string | undefined
}

export const commands = {
  plan: 'show what a deploy would do',
  deploy: 'deploy, and wait until the new version answers',
  rollback: 'go back to the version before, or to --target-version',
  status: 'show what is live',
  validate: 'check the config file, offline',
  bundle: 'pack what would ship, and show it',
} as const satisfies Record<string, string>

/** The inputs that make sense here. Credentials come from the environment: a command line is seen by others. */
export const options = {
  config: 'config file (.github/agents.yml)',
  agent: 'names of agents; the same as naming them without it',
  platform: 'with agent-id and path: one agent without a config file',
  'agent-id': 'the platform’s id of that agent',
  path: 'its folder',
  'base-url': 'the platform’s address',
  settings: 'what only the platform has, as YAML',
  version: 'auto, major, minor, patch or a version',
  strategy: 'rolling or blue-green',
  release: 'true: tag the commit and write release notes',
  'cleanup-old': 'true or false',
  include: 'patterns of ignored files that ship',
  exclude: 'patterns of files that do not ship',
  environment: 'GitHub environment of the record',
  'target-version': 'rollback: the version to go back to',
  reason: 'rollback: why',
  'cleanup-failed': 'rollback: true or false',
  wait: 'true, or false to end once the platform has accepted',
  timeout: 'such as 15m',
  'on-failure': 'rollback or keep',
} as const satisfies Record<string, string>

/** What a command takes; an option that is not named here is for all of them. */
const only: Readonly<Record<string, readonly string[]>> = {
  'base-url': ['plan', 'deploy', 'rollback', 'status'],
  version: ['plan', 'deploy'],
  strategy: ['plan', 'deploy', 'bundle', 'validate'],
  release: ['deploy'],
  'cleanup-old': ['deploy'],
  include: ['plan', 'deploy', 'bundle'],
  exclude: ['plan', 'deploy', 'bundle'],
  environment: ['plan', 'deploy', 'rollback', 'status'],
  'target-version': ['rollback'],
  reason: ['rollback'],
  'cleanup-failed': ['rollback'],
  wait: ['deploy', 'rollback'],
  timeout: ['deploy', 'rollback'],
  'on-failure': ['deploy'],
  list: ['bundle'],
  output: ['bundle'],
}

const flags = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, list: { type: 'boolean' } } as const

/** Throws `input-invalid` for what it does not know. */
export function readArguments(words: readonly string[]): Arguments {
  const { values, positionals } = parse(words)
  const texts = new Map(Object.entries(values))
  const [command = '', ...agents] = positionals
  const given = Object.keys(options).flatMap((name) => {
    const value = texts.get(name)
    // Given twice, a list goes on: every input that takes several takes them on lines.
    return Array.isArray(value) ? [[name, value.join('\n')] as const] : []
  })
  const inputs: Record<string, string> = { command, ...Object.fromEntries(given) }
  if (agents.length > 0) inputs['agent'] = [inputs['agent'] ?? '', ...agents].filter(Boolean).join('\n')
  const output = values['output']
  return {
    command,
    inputs,
    json: values['json'] === true,
    help: values['help'] === true || command === '' || command === 'help',
    list: values['list'] === true,
    output: typeof output === 'string' ? output : undefined,
  }
}

function parse(words: readonly string[]) {
  const texts = Object.fromEntries(
    Object.keys(options).map((name) => [name, { type: 'string', multiple: true } as const]),
  )
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { ...flags, output: { type: 'string' }, ...texts },
    })
  } catch (error) {
    throw fail(
      'input-invalid',
      {
        input: 'command line',
        value: words.join(' '),
        problem: error instanceof Error ? error.message.split('. ')[0] : 'it can’t be understood',
        remedy: '`agent-deploy --help` lists what there is.',
      },
      error,
    )
  }
}

const shown = {
  json: 'the result as JSON on stdout, all else on stderr',
  help: 'this',
  list: 'bundle: every file, and why it is in or out',
  output: 'bundle: folder to keep the archives in',
}

/** Of one command with what it takes, or of all. */
export function helpText(about = ''): string {
  const command = about in commands ? about : ''
  const isMeant = (name: string) => command === '' || (only[name]?.includes(command) ?? true)
  const rows = (table: Readonly<Record<string, string>>, prefix = '') =>
    Object.entries(table).map(([name, meaning]) => `  ${(prefix + name).padEnd(18)}${meaning}`)
  return [
    `Usage: agent-deploy ${command || '<command>'} [agent…] [options]`,
    '',
    ...(command === '' ? ['Commands'] : []),
    ...rows(Object.fromEntries(Object.entries(commands).filter(([name]) => command === '' || name === command))),
    '',
    'Options',
    ...rows(Object.fromEntries(Object.entries({ ...options, ...shown }).filter(([name]) => isMeant(name))), '--'),
    '',
    'Credentials come from the environment: GITHUB_TOKEN for the record, and the platform’s own, such as NASIKO_TOKEN.',
    '',
    'Exit codes',
    ...rows(Object.fromEntries(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]))),
    '',
  ].join('\n')
}

/** How a run ended, for scripts. */
export const exitCodes = {
  done: { code: 0, meaning: 'done, or nothing to do' },
  failed: { code: 1, meaning: 'tried, and it went wrong' },
  refused: { code: 2, meaning: 'refused: the input or the configuration is wrong; nothing was changed' },
  unknown: { code: 3, meaning: 'not live in time; the platform may still finish' },
  cancelled: { code: 130, meaning: 'cancelled' },
} as const

export function exitCodeOf(outputs: Readonly<Record<string, string>>): number {
  if (outputs['reason-code'] === 'cancelled') return exitCodes.cancelled.code
  const decision = outputs['decision']
  if (decision === 'failed' || decision === 'refused' || decision === 'unknown') return exitCodes[decision].code
  return exitCodes.done.code
}
