import { list, within, type Row } from './catalogue-row.ts'

/** What can’t or may not be done, and what something newer has taken the place of: nothing was changed. */
export const refusals = {
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
  'values-missing': {
    decision: 'refused',
    message: (f) =>
      `"${f['agent']}" does not start without values for ${list(f['names'])}, and its connection has none.`,
    help: (f) =>
      `In a workflow, give the step \`${f['prefix']}<name>\` under \`env\`, from a secret; for the App, name the variables that hold them under \`env\` of the connection in its connections file.`,
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
    message: (f) => `The file "${f['path']}" changed while it was being packed or sent.`,
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
  'version-ineligible': {
    decision: 'refused',
    message: (f) => `${f['platform']} does not take "${f['agent']}" back to "${f['version']}".`,
    help: (f) =>
      `It can go back to ${Array.isArray(f['known']) && f['known'].length === 0 ? 'no version' : list(f['known'])}; to have another one live, deploy its commit again.`,
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
  'agent-archived': {
    decision: 'refused',
    message: (f) => `The agent "${f['id']}" is archived on ${f['platform']}${within(f['since'])}.`,
    help: () => 'Restore it there, or give the `id` of another in the config file; nothing was changed.',
  },
  'content-not-reproducible': {
    decision: 'refused',
    message: (f) =>
      `What "${f['agent']}" was at ${f['version']} can't be made again from commit ${f['commit']}: ${f['problem']}.`,
    help: () => 'Roll back to another version, or revert the commits and deploy; nothing was changed.',
  },
  'changed-elsewhere': {
    decision: 'refused',
    message: (f) => `Somebody else changed "${f['agent']}" on ${f['platform']}: ${f['detail']}.`,
    help: (f) => `${f['remedy'] ?? 'Look at what they did, then deploy again.'}`,
  },
  overtaken: {
    decision: 'superseded',
    message: (f) => `${f['what']} made this deploy void before it was live.`,
    help: () => 'Nothing is left to do; `/deploy` deploys again.',
  },
  'newer-commit': {
    decision: 'superseded',
    message: (f) => `The newer commit ${f['newer']} is wanted instead.`,
    help: () => 'Nothing is left to do: its own check tells how it went.',
  },
  'branch-gone': {
    decision: 'superseded',
    message: (f) => `"${f['ref']}" is gone: nothing of it is deployed any more.`,
    help: () => 'Nothing is left to do. What is live stays live; `/rollback` goes back.',
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
  'store-taken': {
    decision: 'refused',
    message: (f) => `The database is in use by ${f['who']}.`,
    help: () => 'An embedded database has one process. Stop the other one, or give this one its own DATA_DIR.',
  },
} as const satisfies Record<string, Row>
