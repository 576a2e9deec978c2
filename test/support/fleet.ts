import { recordLines } from '../../app/dashboard/log-lines.ts'
import type { App } from '../../app/context.ts'
import type { Repository } from '../../app/engine/agents.ts'
import type { Store } from '../../app/engine/store.ts'
import { operationPath } from '../../app/dashboard/words.ts'
import { arrayLog } from './io.ts'
import { acme, pastStore, seed, sha } from './dashboard.ts'

const minuteMs = 60_000

/** A fleet with a bit of everything, in the database of an app that is not started yet; returns addresses worth a look. */
export async function fleetStory(dataDir: string, repository: Repository = acme) {
  const { store, clock, database } = pastStore(dataDir)
  const now = clock.at
  const ago = (minutes: number, tookMs = 8400) => ({
    startedAt: now - minutes * minuteMs - tookMs,
    finishedAt: now - minutes * minuteMs,
  })
  const add = (given: Parameters<typeof seed>[1]) => {
    clock.at = (given.outcome?.startedAt ?? now) - 900
    return seed(store, { repository, ...given }, clock)
  }
  const version = (next: string, commits: readonly (readonly [string, string, 'minor' | 'patch'])[]) => ({
    version: next,
    previous: undefined,
    bump: 'minor' as const,
    reason: `${commits.length === 1 ? 'One commit touches' : `${commits.length} commits touch`} the agent; the largest bump is minor.`,
    commits: commits.map(([digit, subject, bump]) => ({
      sha: sha(digit),
      subject,
      bump,
      reason: `${subject.split('(')[0]} → ${bump}`,
    })),
    read: commits.length + 2,
    counted: commits.length,
    source: 'api' as const,
    warnings: [],
  })
  for (let index = 0; index < 24; index++) {
    const failed = index % 9 === 5
    const facts = ago(60 * 24 * (26 - index), 5000 + ((index * 7919) % 9000))
    await add({
      id: `old-${index}`,
      commit: sha((index % 10).toString()),
      actor: index % 3 === 0 ? 'maya' : 'devon',
      decision: failed ? 'failed' : 'deployed',
      code: failed ? 'build-failed' : 'released',
      message: failed
        ? `The platform could not bring 1.${index}.0 up: exit code 1. Rolled back to 1.${index - 1}.0.`
        : `1.${index}.0 is live.`,
      outcome: {
        ...facts,
        releaseVersion: `1.${index}.0`,
        previousVersion: `1.${index - 1}.0`,
        url: 'https://support.acme.example',
      },
    })
  }
  const commits = [
    ['c', 'feat(support): answer in the customer’s language', 'minor'],
    ['d', 'fix(support): keep the order number (#41)', 'patch'],
  ] as const
  const deployed = await add({
    id: 'deploy-good',
    commit: sha('c'),
    actor: 'devon',
    decision: 'deployed',
    code: 'released',
    message: '1.24.0 is live.',
    outcome: {
      ...ago(95, 11_300),
      releaseVersion: '1.24.0',
      previousVersion: '1.23.0',
      platformVersion: '41',
      url: 'https://support.acme.example',
      digest: `sha256:${'3f9a'.repeat(16)}`,
      bundleSize: 148_230,
      githubDeploymentId: 90_412,
      version: version('1.24.0', commits),
      changes: [
        {
          path: 'config.system_prompt',
          kind: 'changed',
          lines: ['-Answer briefly.', '+Answer briefly, in the language of the question.'],
        },
      ],
    },
    steps: {
      standing: {},
      'deploy.plan': {},
      record: 90_412,
      'deploy.asking': {},
      'deploy.asked': {},
      'closed.success': 1,
      check: 5_513,
    },
  })
  await add({
    id: 'bad-merge',
    commit: sha('e'),
    decision: 'deployed',
    code: 'released',
    message: '1.24.1 is live.',
    outcome: { ...ago(42), releaseVersion: '1.24.1', previousVersion: '1.24.0', url: 'https://support.acme.example' },
  })
  await add({
    id: 'roll',
    kind: 'rollback',
    actor: 'maya',
    commit: sha('c'),
    trigger: { kind: 'comment', ref: undefined, url: 'https://github.com/acme/agents/pull/12#issuecomment-3' },
    request: { reason: 'it answers nonsense', to: { kind: 'previous' } },
    decision: 'rolled-back',
    code: 'requested',
    message: '1.24.0 is live again. Automatic deploys of support-bot are on hold.',
    outcome: {
      ...ago(31, 3100),
      releaseVersion: '1.24.0',
      previousVersion: '1.24.1',
      url: 'https://support.acme.example',
      digest: `sha256:${'3f9a'.repeat(16)}`,
    },
  })
  await add({
    id: 'held',
    decision: 'held',
    code: 'on-hold',
    message: 'support-bot is on hold by @maya: it answers nonsense.',
    outcome: ago(12, 900),
  })
  await add({
    agent: 'search',
    id: 's-1',
    commit: sha('7'),
    decision: 'deployed',
    code: 'released',
    message: '2.3.0 is live.',
    outcome: { ...ago(60 * 5), releaseVersion: '2.3.0', url: 'https://search.acme.example' },
  })
  await add({
    agent: 'triage',
    id: 't-1',
    commit: sha('5'),
    decision: 'deployed',
    code: 'released',
    message: '0.9.2 is live.',
    outcome: { ...ago(60 * 50), releaseVersion: '0.9.2' },
  })
  const failed = await add({
    agent: 'triage',
    id: 't-2',
    commit: sha('6'),
    decision: 'failed',
    code: 'build-failed',
    message:
      'The platform could not bring 0.10.0 up: container exited with code 1 (ModuleNotFoundError: No module named "tiktoken"). Rolled back to 0.9.2.',
    outcome: {
      ...ago(18, 41_000),
      releaseVersion: '0.10.0',
      previousVersion: '0.9.2',
      help: "See the platform's build log; then push a correction.",
      warnings: ['The record on GitHub was written at the third try.'],
      version: version('0.10.0', [['6', 'feat(triage): count tokens', 'minor']]),
    },
    steps: {
      standing: {},
      record: 2,
      'deploy.asking': {},
      'deploy.asked': {},
      'restore.asking': {},
      'restore.asked': {},
      'closed.failure': 1,
      check: 77,
    },
  })
  await add({
    agent: 'billing-faq',
    id: 'b-1',
    commit: sha('4'),
    decision: 'deployed',
    code: 'released',
    message: '3.0.1 is live.',
    outcome: { ...ago(60 * 24 * 3), releaseVersion: '3.0.1', url: 'https://billing.acme.example' },
  })
  await add({
    agent: 'billing-faq',
    id: 'b-2',
    commit: sha('3'),
    decision: 'superseded',
    code: 'newer-commit',
    message: 'The newer commit 1b64538 is wanted instead.',
    outcome: ago(60 * 24 * 3 + 1, 10),
  })
  await logged(failed, { database, clock })
  await recorded({ store, repository, now })
  await database.close()
  return { deployed: operationPath(deployed), failed: operationPath(failed) }
}

/** What a workflow has deployed, as the ledger says. */
async function recorded(given: { store: Store; repository: Repository; now: number }): Promise<void> {
  const { store, repository, now } = given
  const at = (minutes: number) => new Date(now - minutes * minuteMs).toISOString()
  const logUrl = 'https://github.com/acme/agents/actions/runs/48211'
  const url = 'https://onboarding.acme.example'
  await store.records.see(repository, {
    id: 90_377,
    operation: 'deploy',
    createdAt: at(201),
    statuses: [
      { id: 2, state: 'success', description: '5.2.0 is live (platform version 5.2.0)', url, logUrl, at: at(200) },
      { id: 1, state: 'in_progress', description: 'deploy begun', url: undefined, logUrl, at: at(201) },
    ],
    payload: {
      ...{ v: 1, id: 'workflow-1', agent: 'onboarding', platform: 'memory', agent_id: 'agent-5', commit: sha('2') },
      ...{ release_version: '5.2.0', platform_version: '5.2.0', previous_version: '5.1.3', previous_commit: sha('1') },
      ...{ digest: null, strategy: 'rolling', trigger: 'push', actor: 'grace', reason: null, range: null },
    },
  })
}

async function logged(operation: string, to: Pick<ReturnType<typeof pastStore>, 'database' | 'clock'>): Promise<void> {
  const { log, flush } = recordLines(arrayLog(), { ...to, redact: (text) => text })
  const lines = [
    'triage: deploying 0.9.2 → 0.10.0 (minor, 1 commit)',
    'triage: bundle of 148.2 kB, sha256:3f9a3f9a3f9a',
    'Memory: 0.10.0 is building (14s)',
  ]
  to.clock.at -= 41_000
  for (const line of lines) {
    log.info(line, { operation })
    to.clock.at += 9000
  }
  log.warn('check: HTTP 503, upstream connect error; trying again in 1.2 s', { operation })
  log.info('triage: failed (build-failed)', { operation })
  await flush()
}

/** What is under way, in an app that runs; nobody wakes it up. */
export async function fleetAtWork({ store }: App, repository: Repository = acme): Promise<string> {
  const add = (given: Parameters<typeof seed>[1]) => seed(store, { repository, agent: 'search', ...given })
  const steps = { standing: {}, 'deploy.plan': {}, record: 1, 'deploy.asking': {} }
  const running = await add({ id: 's-2', commit: sha('8'), state: 'running', steps })
  await add({ id: 's-3', commit: sha('9') })
  return operationPath(running)
}
