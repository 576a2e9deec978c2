/**
 * What may be spent, counted and not timed: a change that makes the code more costly fails here, on a slow machine as on a
 * fast one. Each ceiling is what was counted when it was written, with the room that is named; it is lowered when the code
 * gets cheaper, and raised only with a reason that is written here.
 */
export const ceilings = {
  'GitHub calls, push to one agent': {
    most: 11,
    because: 'token and config; head; ledger, and once more when it is opened; tarball and comparison; four writes',
  },
  'GitHub writes, push to one agent': {
    most: 4,
    because: 'record, in_progress, success, check run; GitHub takes 80 a minute',
  },
  'GitHub calls, each agent of a push': {
    most: 7,
    because: 'ledger, its live record, and the ledger once more when it is opened; four writes',
  },
  'GitHub calls, what a push has in common': {
    most: 10,
    because:
      'token and config; tarball and comparison; head, and once more for each minute (of tests: 3 s) that it takes',
  },
  'GitHub calls, push to 10 agents': { most: 80, because: 'seven for each, and what they have in common' },
  'GitHub calls, push to no agent': { most: 1, because: 'the config file of that commit' },
  'GitHub calls, redelivery': { most: 0, because: 'it is known before anybody is asked' },
  'GitHub calls, rollback by comment': {
    most: 21,
    because: 'who may command, config, head, ledger, commits undone, reply, eight writes',
  },
  'GitHub writes, rollback by comment': {
    most: 8,
    because: 'a reaction; reply opened, edited, ended; record with three states',
  },
  'GitHub calls, rollback over 120 failures': {
    most: 6,
    because: 'a page and the live record; two pages of the ledger, the live record and the one before',
  },
  'records read, rollback over 120 failures': { most: 3, because: 'the live one twice, and the one before' },
  'GitHub calls, check of a commit': { most: 0, because: 'nothing waits for it' },
  'modules of Node, validate': {
    most: 24,
    because: 'what is printed goes through a stream; what Node itself needs at start is not counted',
  },
  'files loaded, validate': { most: 2, because: 'the entry, and what every command starts with' },
  'system calls for files, validate': {
    most: 55,
    because: 'Node’s own start is 30; config file, outputs, code',
  },
  'modules of ours, App': { most: 260, because: 'core, platforms, receiver, engine, worker, dashboard' },
  'modules of others, App': { most: 400, because: 'zod and yaml 170; Probot with pino and Octokit 180' },
  'waits for the disk, one webhook': { most: 2.4, because: 'stored; done; now and then a checkpoint' },
  'waits for the disk, each of 40 webhooks at once': {
    most: 1.9,
    because: 'groups of what comes while the one before is written; alone it is more than 2',
  },
  'bytes written for each byte of a webhook': { most: 8, because: 'pages of the log in front of the database' },
  'git log, plan of 8 agents': { most: 3, because: 'one reading serves all whose live commit lies in it' },
  'git processes for each agent planned': {
    most: 4,
    because: 'listing files: tracked, untracked; place and commit',
  },
  'SQL, push to one agent': {
    most: 62,
    because: 'delivery, operation, ten steps with the fence that guards each, three states',
  },
  'SQL, push to no agent': { most: 5, because: 'stored, read, head of the branch, done' },
  'SQL, redelivery': { most: 2, because: 'the insert finds it' },
  'SQL, rollback by comment': {
    most: 83,
    because: 'as a push; the command; its pull request’s one comment, held for each edit',
  },
  'SQL, check of a commit': { most: 5, because: 'stored, read, what waits for it, done' },
  'SQL, sweep': { most: 3, because: 'deliveries, operations and comments that are not done' },
  'MB resident, tar of 20,000 files': {
    most: 125,
    because: 'Node 60; its young generation 20 to 35; the thread 15; blocks 5; lists of files',
  },
  'MB resident, zip of 20,000 files': { most: 135, because: 'as the tar; deflate; the directory' },
} as const satisfies Readonly<Record<string, { most: number; because: string }>>

export type Counted = keyof typeof ceilings

/** For `toEqual([])`: what is above its ceiling, said so that the reader knows what to do. */
export function aboveCeiling(counted: Partial<Record<Counted, number>>): string[] {
  const above: string[] = []
  for (const [name, count] of Object.entries(counted)) {
    // `Partial` of a record has these keys and no others.
    const { most, because } = ceilings[name as Counted]
    if (count > most) above.push(`${name}: ${count}, and ${most} is the most (${because})`)
  }
  return above
}
