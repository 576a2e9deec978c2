import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config/parse.ts'
import type { LedgerRecord, RecordState } from '../src/ledger.ts'
import { type DeployFacts, planDeploy } from '../src/plan.ts'
import { platforms } from '../src/platforms/index.ts'
import type { Trigger } from '../src/request.ts'
import { weigh } from '../src/version/bump.ts'
import type { History } from '../src/version/version.ts'

const [agent] = parseConfig('version: 1\nagents: { a: { platform: nasiko, id: x } }', {
  path: 'agents.yml',
  platforms,
}).agents
if (!agent) throw new Error('the config has no agent')
const bot = agent

const push: Trigger = { kind: 'push', actor: 'octocat', ref: 'refs/heads/main', url: undefined, id: 'this-run' }
const byHand: Trigger = { ...push, kind: 'comment' }

interface Given {
  message?: string
  relation?: History['relation']
  digest?: string
  settings?: string
  held?: boolean
  live?: {
    operation?: 'deploy' | 'rollback'
    digest?: string
    settings?: string
    version?: string
    description?: string
  }
  platformVersion?: string
  highestVersion?: string
  other?: { state: RecordState }
  trigger?: Trigger
  version?: string
  badCommits?: string[]
}

function facts(given: Given): DeployFacts {
  const message = given.message ?? 'feat: speak French'
  const history: History = {
    from: 'c1',
    to: 'c2',
    commits: [{ sha: 'c2'.repeat(20), parents: [], message, author: 'a', files: undefined }],
    relation: given.relation ?? 'ahead',
    source: 'complete',
  }
  const live = given.live ? record({ id: 'other-run', state: 'success', commit: 'c1', ...given.live }) : undefined
  const other = given.other
    ? record({ id: 'third-run', state: given.other.state, commit: 'c2', digest: 'sha256:new' })
    : undefined
  const platformVersion = given.platformVersion ?? '1.0.0'
  const hold = live?.operation === 'rollback' ? { by: 'octocat', reason: 'slow' } : undefined
  return {
    agent: { ...bot, version: given.version ?? 'auto' },
    commit: 'c2',
    trigger: given.trigger ?? push,
    standing: {
      platform: {
        platformVersion,
        releaseVersion: platformVersion,
        ...(given.highestVersion ? { highestVersion: given.highestVersion } : {}),
        versions: [{ version: platformVersion, status: 'active' }],
      },
      recent: [other, live].filter((one) => one !== undefined),
      live,
      hold,
      warnings: [],
    },
    history,
    weighed: weigh(history, { path: '', watchPaths: [] }),
    digest: given.digest ?? 'sha256:new',
    settings: given.settings ?? 'sha256:settings',
    held: given.held,
    badCommits: given.badCommits ?? [],
  }
}

function record(given: {
  id: string
  state: RecordState
  commit: string
  operation?: 'deploy' | 'rollback'
  digest?: string
  settings?: string
  version?: string
}): LedgerRecord {
  const version = given.version ?? '1.0.0'
  return {
    id: 1,
    operation: given.operation ?? 'deploy',
    createdAt: '',
    statuses: [{ state: given.state, description: '', url: undefined, at: '' }],
    payload: {
      v: 1,
      id: given.id,
      agent: 'a',
      platform: 'nasiko',
      agent_id: 'x',
      release_version: version,
      platform_version: version,
      previous_version: null,
      previous_commit: null,
      commit: given.commit,
      digest: given.digest ?? 'sha256:old',
      strategy: null,
      trigger: 'push',
      actor: 'octocat',
      reason: null,
      range: null,
      ...(given.settings ? { settings: given.settings } : {}),
    },
  }
}

describe('planDeploy', () => {
  const live = { digest: 'sha256:old' }

  // Columns: what is the case; the version it leads to.
  it.each<[string, Given, string]>([
    ['a feature', { live }, '1.1.0'],
    ['a fix', { live, message: 'fix: answer in time' }, '1.0.1'],
    ['a breaking change', { live, message: 'feat!: another protocol' }, '2.0.0'],
    ['a change that no commit announces', { live, message: 'wording' }, '1.0.1'],
    ['no ledger: the platform’s version is the base, the commits are not known', { relation: 'unknown-base' }, '1.0.1'],
    ['an exact version', { live, version: '3.0.0' }, '3.0.0'],
    ['the platform moved on without us: its version is the base', { live, platformVersion: '1.4.0' }, '1.5.0'],
    [
      'the same content, but something else is live',
      { live: { digest: 'sha256:new' }, platformVersion: '1.4.0' },
      '1.5.0',
    ],
    ['an older commit, by hand', { live, relation: 'behind', trigger: byHand }, '1.1.0'],
    ['a force push', { live, relation: 'diverged' }, '1.1.0'],
    [
      'the same content with other settings of the platform',
      { live: { digest: 'sha256:new', settings: 'sha256:before' } },
      '1.1.0',
    ],
    [
      'the digest of the live record, but edited on the platform',
      { live: { digest: 'sha256:new' }, held: false },
      '1.1.0',
    ],
    ['on hold, by hand', { live: { operation: 'rollback' }, trigger: byHand }, '1.1.0'],
    ['another run has failed with the same', { live, other: { state: 'failure' } }, '1.1.0'],
  ])('updates: %s', (_, given, expected) => {
    const plan = planDeploy(facts(given))

    expect(plan).toMatchObject({ step: 'update', version: { version: expected } })
  })

  it.each<[string, Given, string, string]>([
    ['the same content as live', { live: { digest: 'sha256:new' } }, 'skipped', 'unchanged'],
    ['every managed value there already', { live, held: true }, 'skipped', 'unchanged'],
    ['every managed value there already, with no ledger', { held: true }, 'skipped', 'unchanged'],
    ['another run has the same under way', { live, other: { state: 'in_progress' } }, 'skipped', 'in-progress'],
    ['on hold after a rollback', { live: { operation: 'rollback' } }, 'held', 'on-hold'],
    ['asked to be skipped', { live, message: 'feat: x [skip deploy]' }, 'skipped', 'skip-requested'],
  ])('stops: %s', (_, given, decision, code) => {
    const plan = planDeploy(facts(given))

    expect(plan).toMatchObject({ step: 'stop', decision, code })
  })

  it('never lets an older commit replace a newer one by itself', () => {
    expect(() => planDeploy(facts({ live, relation: 'behind' }))).toThrow(
      expect.objectContaining({ code: 'not-newer', decision: 'superseded' }),
    )
  })

  it('refuses an exact version below the live one', () => {
    expect(() => planDeploy(facts({ live, version: '0.9.0' }))).toThrow(
      expect.objectContaining({ code: 'version-invalid' }),
    )
  })

  const bad = 'b'.repeat(40)
  const revert = `Revert "feat: x"\n\nThis reverts commit ${bad}.`

  it('a push that reverts what was rolled back lifts the hold and deploys', () => {
    const plan = planDeploy(facts({ live: { operation: 'rollback' }, message: revert, badCommits: [bad] }))

    expect(plan).toMatchObject({ step: 'update', liftsHold: true })
  })

  it('lifts the hold even when the revert leaves nothing to deploy', () => {
    const plan = planDeploy(
      facts({ live: { operation: 'rollback', digest: 'sha256:new' }, message: revert, badCommits: [bad] }),
    )

    expect(plan).toMatchObject({ step: 'stop', code: 'unchanged', liftsHold: true })
  })

  it('a revert of something else does not lift the hold', () => {
    const plan = planDeploy(facts({ live: { operation: 'rollback' }, message: revert, badCommits: ['c'.repeat(40)] }))

    expect(plan).toMatchObject({ step: 'stop', code: 'on-hold', liftsHold: false })
  })

  it('counts from the highest number ever, not from the live one, where none can come twice', () => {
    const plan = planDeploy(
      facts({ live: { operation: 'rollback', version: '1.0.0' }, highestVersion: '1.4.2', trigger: byHand }),
    )

    expect(plan).toMatchObject({ step: 'update', version: { version: '1.5.0' }, warnings: [] })
  })

  it('warns when a number that was rolled back comes again', () => {
    const given = facts({ live })
    const versions = [{ version: '1.1.0', status: 'failed' }, ...given.standing.platform.versions]
    const plan = planDeploy({
      ...given,
      standing: { ...given.standing, platform: { ...given.standing.platform, versions } },
    })

    expect(plan.warnings).toEqual([expect.stringContaining('1.1.0 was released before')])
  })
})
