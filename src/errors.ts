import type { Decision } from './outcome.ts'

/** Facts of an error: plain values that its sentences mention; never a credential. */
export type Facts = Readonly<Record<string, string | number | readonly string[] | undefined>>

interface Row {
  /** `refused`: asked for something that can't or may not be done; nothing was changed. `failed`: tried, and it went wrong. */
  readonly decision: Extract<Decision, 'refused' | 'failed' | 'unknown' | 'superseded'>
  /** Sentence 1: what happened, with the value in quotes. */
  readonly message: (facts: Facts) => string
  /** Sentence 2: what to do next. */
  readonly help: (facts: Facts) => string
}

const list = (value: Facts[string]) => (Array.isArray(value) ? value.map((item) => `"${item}"`).join(', ') : `${value}`)
const within = (value: Facts[string]) => (value === undefined || value === '' ? '' : ` (${value})`)

/** Every code that an error can have, with its sentences. The README's table is tested against this. */
export const catalogue = {
  'config-missing': {
    decision: 'refused',
    message: (f) => `There is no config file "${f['path']}"${within(f['at'])}.`,
    help: (f) =>
      `Create "${f['path']}", name another file with the input \`config\`, or describe one agent with \`platform\`, \`agent-id\` and \`path\`.`,
  },
  'config-invalid': {
    decision: 'refused',
    message: (f) =>
      `The config file "${f['path']}" has ${f['count']} problem${f['count'] === 1 ? '' : 's'}:\n${f['problems']}`,
    help: () => 'Correct the lines named; the README lists every key.',
  },
  'input-invalid': {
    decision: 'refused',
    message: (f) => `The input "${f['input']}" is "${f['value']}": ${f['problem']}.`,
    help: (f) => `${f['remedy'] ?? 'See the table of inputs in the README.'}`,
  },
  'agent-unknown': {
    decision: 'refused',
    message: (f) => `There is no agent "${f['agent']}" in "${f['path']}".`,
    help: (f) => `The agents there are ${list(f['known'])}.`,
  },
  'path-missing': {
    decision: 'refused',
    message: (f) => `The agent "${f['agent']}" has the path "${f['path']}", but the commit has no file below it.`,
    help: () => 'Correct `path` in the config file, or commit the folder.',
  },
  'connection-missing': {
    decision: 'refused',
    message: (f) => `No credentials for "${f['platform']}"${within(f['connection'])} are at hand.`,
    help: (f) => `${f['remedy']}`,
  },
  'connection-not-allowed': {
    decision: 'refused',
    message: (f) => `The repository "${f['repository']}" may not use the connection "${f['connection']}".`,
    help: () =>
      "Whoever runs the app can add the repository to the connection's `repositories` in its connections file.",
  },
  'strategy-unsupported': {
    decision: 'refused',
    message: (f) => `The strategy "${f['strategy']}" is not one that ${f['platform']} can do.`,
    help: (f) =>
      Array.isArray(f['known']) && f['known'].length === 0 ? 'Leave it out.' : `It can do ${list(f['known'])}.`,
  },
  'history-incomplete': {
    decision: 'refused',
    message: (f) => `The history between ${f['from']} and ${f['to']} is not complete here: ${f['problem']}.`,
    help: () =>
      'Check the code out with `fetch-depth: 0` (`uses: actions/checkout`, `with: { fetch-depth: 0 }`), or give the job a `github-token` that may read contents.',
  },
  'version-invalid': {
    decision: 'refused',
    message: (f) => `The version "${f['version']}" can't be used: ${f['problem']}.`,
    help: () => 'Use `auto`, `major`, `minor`, `patch`, or an exact semantic version above the live one.',
  },
  'not-newer': {
    decision: 'superseded',
    message: (f) => `The commit ${f['commit']} is older than the live commit ${f['live']} (or not on its line).`,
    help: () => 'To go back, use a rollback; to deploy an older line on purpose, deploy it by hand.',
  },
  'dependency-failed': {
    decision: 'refused',
    message: (f) => `"${f['agent']}" depends on "${f['needed']}", which did not get live.`,
    help: (f) => `Mend "${f['needed']}" first; this agent was not touched.`,
  },
  'bundle-invalid': {
    decision: 'refused',
    message: (f) => `The bundle of "${f['agent']}" breaks the rules of ${f['platform']}: ${f['problems']}`,
    help: () => 'Correct the files named, or `bundle.include` and `bundle.exclude`; nothing was uploaded.',
  },
  'document-invalid': {
    decision: 'refused',
    message: (f) =>
      `The agent document "${f['path']}" has ${f['count']} problem${f['count'] === 1 ? '' : 's'}:\n${f['problems']}`,
    help: () => 'Correct the lines named, or `settings.file` in the config file; nothing was sent.',
  },
  'bundle-too-large': {
    decision: 'refused',
    message: (f) => `The bundle of "${f['agent']}" has ${f['actual']}; ${f['limit']} is the most.`,
    help: (f) => `Leave files out with \`bundle.exclude\` or \`.agentignore\`. The largest: ${f['largest']}.`,
  },
  'file-changed': {
    decision: 'refused',
    message: (f) => `The file "${f['path']}" changed while it was being packed.`,
    help: () => 'Let nothing write into the checkout while the bundle is made, then run again.',
  },
  'secret-found': {
    decision: 'refused',
    message: (f) => `The bundle of "${f['agent']}" holds what looks like a secret: ${f['places']}.`,
    help: () => 'Remove it, and revoke it if it is real; a reviewed exception goes into `bundle.allow-secrets`.',
  },
  'nothing-to-roll-back-to': {
    decision: 'refused',
    message: (f) => `The agent "${f['agent']}" has nothing to go back to: ${f['problem']}.`,
    help: () => 'A rollback needs an earlier version that was live. `/status` lists what is known.',
  },
  'version-unknown': {
    decision: 'refused',
    message: (f) => `The agent "${f['agent']}" has no version "${f['version']}".`,
    help: (f) => `The versions it can go back to are ${list(f['known'])}.`,
  },
  'already-live': {
    decision: 'refused',
    message: (f) => `The version "${f['version']}" of "${f['agent']}" is the one that is live.`,
    help: () => 'There is nothing to roll back; name another version, or none for the previous one.',
  },
  'permission-denied': {
    decision: 'refused',
    message: (f) =>
      `@${f['actor']} has the permission "${f['permission']}" here; "${f['command']}" needs one of ${list(f['allowed'])}${within(f['rule'])}.`,
    help: (f) => `Ask ${f['who']} to do it.`,
  },
  'agent-ambiguous': {
    decision: 'refused',
    message: (f) => `"${f['command']}" could mean several agents: ${list(f['candidates'])}.`,
    help: (f) => `Name the ones you mean, e.g. \`${f['example']}\`.`,
  },
  'agent-not-found': {
    decision: 'failed',
    message: (f) => `${f['platform']} knows no agent "${f['id']}"${within(f['detail'])}.`,
    help: () =>
      "Compare `id` in the config file with the platform's own list of agents, and check that the credential belongs to the same account.",
  },
  'agent-archived': {
    decision: 'refused',
    message: (f) => `The agent "${f['id']}" is archived on ${f['platform']}${within(f['since'])}.`,
    help: () => 'Restore it there, or give the `id` of another in the config file; nothing was changed.',
  },
  unauthorized: {
    decision: 'failed',
    message: (f) => `${f['platform']} does not accept the credential${within(f['detail'])}.`,
    help: (f) => `Renew ${f['remedy'] ?? 'the token or key'} and try again; nothing was changed.`,
  },
  'platform-rejected': {
    decision: 'failed',
    message: (f) => `${f['platform']} refused the ${f['what']}${within(f['status'])}: ${f['detail']}`,
    help: () => 'The live version was not touched. Correct what the platform names, then deploy again.',
  },
  'platform-unavailable': {
    decision: 'failed',
    message: (f) => `${f['platform']} could not be reached or did not answer properly (${f['detail']}).`,
    help: () => "Nothing more was sent. Check the platform's status and `base-url`, then run again.",
  },
  'platform-response': {
    decision: 'failed',
    message: (f) =>
      `${f['platform']} answered the ${f['what']} with something that can't be understood: ${f['detail']}`,
    help: () => 'Check `base-url`: it may point at another service, or at another generation of the platform.',
  },
  'build-failed': {
    decision: 'failed',
    message: (f) => `${f['platform']} could not bring ${f['version']} up: ${f['detail']}`,
    help: () => "See the platform's build log; then push a correction.",
  },
  'verify-failed': {
    decision: 'failed',
    message: (f) => `${f['version']} was reported live, but ${f['url']} did not answer as it should: ${f['detail']}`,
    help: () => 'Check `verify` in the config file and the agent itself.',
  },
  'not-as-sent': {
    decision: 'failed',
    message: (f) =>
      `${f['platform']} took ${f['version']}, but answers with other values than were sent: ${f['detail']}`,
    help: () => 'Somebody changed it at the same moment, or the platform altered it. Compare both, then deploy again.',
  },
  'content-not-reproducible': {
    decision: 'refused',
    message: (f) =>
      `What "${f['agent']}" was at ${f['version']} can't be made again from commit ${f['commit']}: ${f['problem']}.`,
    help: () => 'Roll back to another version, or revert the commits and deploy; nothing was changed.',
  },
  'rollback-failed': {
    decision: 'failed',
    message: (f) => `The rollback to ${f['version']} did not succeed: ${f['detail']}`,
    help: () => 'The agent may be down. Look at the platform now, and roll back to another version.',
  },
  'changed-elsewhere': {
    decision: 'refused',
    message: (f) => `Somebody else changed "${f['agent']}" on ${f['platform']}: ${f['detail']}.`,
    help: (f) => `${f['remedy'] ?? 'Look at what they did, then deploy again.'}`,
  },
  'timed-out': {
    decision: 'unknown',
    message: (f) => `${f['version']} was not live within ${f['timeout']} (last seen: ${f['detail']}).`,
    help: () =>
      'The platform may still finish. `status` (or `/status`) tells; raise `timeout` if builds take this long.',
  },
  cancelled: {
    decision: 'failed',
    message: (f) => `The run was cancelled ${f['when']}.`,
    help: () => 'Run it again when you want it done.',
  },
  'github-unavailable': {
    decision: 'failed',
    message: (f) => `GitHub did not do what was asked (${f['what']}): ${f['detail']}`,
    help: (f) => `${f['remedy'] ?? 'Check the token and its permissions, then run again.'}`,
  },
  overtaken: {
    decision: 'superseded',
    message: (f) => `${f['what']} made this deploy void before anything was sent to the platform.`,
    help: () => 'Nothing is left to do; `/deploy` deploys again.',
  },
  'newer-commit': {
    decision: 'superseded',
    message: (f) => `The newer commit ${f['newer']} is wanted instead.`,
    help: () => 'Nothing is left to do: its own check tells how it went.',
  },
  'checks-failed': {
    decision: 'refused',
    message: (f) =>
      `The check ${list(f['checks'])} of commit ${f['commit']} did not pass, and \`wait-for-checks\` is set.`,
    help: () => 'Mend what the check found and push, or deploy all the same with `/deploy`.',
  },
  'fork-refused': {
    decision: 'refused',
    message: (f) => `Pull request #${f['number']} comes from the fork "${f['fork']}"; nothing is deployed from forks.`,
    help: () => 'Merge it, or push the branch to this repository; then deploy that.',
  },
  'settings-invalid': {
    decision: 'refused',
    message: (f) =>
      `The app can't start; ${f['count']} of its settings ${f['count'] === 1 ? 'is' : 'are'} wrong:\n${f['problems']}`,
    help: () => 'Correct the environment variables and files named, and start again.',
  },
  'store-unusable': {
    decision: 'failed',
    message: (f) => `The database "${f['path']}" can't be used: ${f['problem']}.`,
    help: () => 'Check that DATA_DIR is a folder on a local disk that this user may write to and that has room.',
  },
  'store-taken': {
    decision: 'refused',
    message: (f) => `The database is in use by ${f['who']}.`,
    help: () => 'An embedded database has one process. Stop the other one, or give this one its own DATA_DIR.',
  },
  internal: {
    decision: 'failed',
    message: (f) => `This is a mistake of ours: ${f['detail']}`,
    help: () => 'Open an issue with the log of this run.',
  },
} as const satisfies Record<string, Row>

export type ErrorCode = keyof typeof catalogue

/** The only error the core throws on purpose. */
export class DeployError extends Error {
  readonly code: ErrorCode
  readonly facts: Facts
  readonly help: string
  readonly decision: Row['decision']

  constructor(code: ErrorCode, facts: Facts, cause?: unknown) {
    const row: Row = catalogue[code]
    super(row.message(facts), cause === undefined ? undefined : { cause })
    this.name = 'DeployError'
    this.code = code
    this.facts = facts
    this.help = row.help(facts)
    this.decision = row.decision
  }
}

/**
 * Not now: what is needed can't be had at the moment (GitHub's limits, an outage, the database), and the App comes back to
 * it. It is no failure of a deploy and passes through the core untouched; nothing of it is lost, as steps are journaled.
 */
export class Postponed extends Error {
  /** Milliseconds since the epoch, where somebody named a time. */
  readonly notBefore: number | undefined

  constructor(reason: string, given: { notBefore?: number | undefined; cause?: unknown } = {}) {
    super(reason, { cause: given.cause })
    this.name = 'Postponed'
    this.notBefore = given.notBefore
  }
}

/** `throw fail('agent-unknown', { agent, path, known })` */
export function fail(code: ErrorCode, facts: Facts, cause?: unknown): DeployError {
  return new DeployError(code, facts, cause)
}

/** Any thrown value as an error of the catalogue; what we did not foresee becomes `internal`. */
export function explain(error: unknown): DeployError {
  if (error instanceof DeployError) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new DeployError('internal', { detail: detail.slice(0, 256) }, error)
}
