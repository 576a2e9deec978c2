import { within, type Row } from './catalogue-row.ts'

/** What was tried and went wrong, or whose end is not known. */
export const failures = {
  'agent-not-found': {
    decision: 'failed',
    message: (f) => `${f['platform']} knows no agent "${f['id']}"${within(f['detail'])}.`,
    help: () =>
      "Compare `id` in the config file with the platform's own list of agents, and check that the credential belongs to the same account.",
  },
  unauthorized: {
    decision: 'failed',
    message: (f) => `${f['platform']} does not accept the credential${within(f['detail'])}.`,
    help: (f) => `Renew ${f['remedy'] ?? 'the token or key'} and try again; nothing was changed.`,
  },
  'account-not-allowed': {
    decision: 'failed',
    message: (f) =>
      `${f['platform']} accepts the credential, but its account may not do this: ${f['what']}${within(f['detail'])}.`,
    help: (f) => `Give the account ${f['needed']}, or use one that has it; nothing was changed.`,
  },
  'platform-rejected': {
    decision: 'failed',
    message: (f) => `${f['platform']} refused the ${f['what']}${within(f['status'])}: ${f['detail']}`,
    help: () => 'The live version was not touched. Correct what the platform names, then deploy again.',
  },
  'platform-unavailable': {
    decision: 'failed',
    message: (f) => `${f['platform']} could not be reached or did not answer properly (${f['detail']}).`,
    help: (f) =>
      `${f['remedy'] ?? "Nothing more was sent. Check the platform's status and \`base-url\`, then run again."}`,
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
  'rollback-failed': {
    decision: 'failed',
    message: (f) => `The rollback to ${f['version']} did not succeed: ${f['detail']}`,
    help: () => 'The agent may be down. Look at the platform now, and roll back to another version.',
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
  'github-refused': {
    decision: 'failed',
    message: (f) => `GitHub does not let this token do it ("${f['what']}"): ${f['detail']}.`,
    help: (f) =>
      f['permission'] === undefined
        ? 'Give a token that is valid and may use this repository.'
        : `Give the token the permission \`${f['permission']}\` (in a workflow, under \`permissions\`), and see that it may use this repository.`,
  },
  'github-unavailable': {
    decision: 'failed',
    message: (f) => `GitHub did not do what was asked (${f['what']}): ${f['detail']}`,
    help: (f) => `${f['remedy'] ?? 'Check the token and its permissions, then run again.'}`,
  },
  'store-unusable': {
    decision: 'failed',
    message: (f) => `The database "${f['path']}" can't be used: ${f['problem']}.`,
    help: () => 'Check that DATA_DIR is a folder on a local disk that this user may write to and that has room.',
  },
  'store-unreachable': {
    decision: 'failed',
    message: (f) => `The database at "${f['at']}" can't be used: ${f['problem']}.`,
    help: () =>
      'Check that DATABASE_URL is right, that the server runs and can be reached from here, and that its user may create a schema.',
  },
  internal: {
    decision: 'failed',
    message: (f) => `This is a mistake of ours: ${f['detail']}`,
    help: () => 'Open an issue with the log of this run.',
  },
} as const satisfies Record<string, Row>
