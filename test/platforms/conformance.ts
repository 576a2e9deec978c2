import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Octokit } from 'octokit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Fault } from '../../app/sandbox/faults.ts'
import { startGitHub } from '../../app/sandbox/github/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { deploy } from '../../src/deploy.ts'
import { gitHubFor } from '../../src/github.ts'
import type { Io } from '../../src/io.ts'
import type { Outcome } from '../../src/outcome.ts'
import type { DeployRequest, RollbackRequest, RollbackTo } from '../../src/request.ts'
import { rollback } from '../../src/rollback.ts'
import { dyingAt } from '../support/dying.ts'
import { arrayLog, hastenedClock, memoryJournal, testIo } from '../support/io.ts'
import { memoryGitHub } from '../support/memory-github.ts'
import { addCommit, git, gitRemote, temporaryFolder } from '../support/repository.ts'
import { cloneAt } from '../support/source.ts'
import { type PlatformCase, type PlatformRig, strategiesIn, type Tree, writesIn } from './case.ts'

/** Every way a request can go wrong; the name says what happened. */
const faults: readonly (readonly [string, Fault])[] = [
  ['500', { kind: 'status', status: 500 }],
  ['503, twice', { kind: 'status', status: 503, times: 2 }],
  ['429 with Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '2' } }],
  ['cut before the effect', { kind: 'reset-before' }],
  ['cut while it was sent', { kind: 'reset-during' }],
  ['cut after the effect', { kind: 'reset-after' }],
  ['slow', { kind: 'slow', ms: 20 }],
  ['half of the reply', { kind: 'truncated' }],
  ['a page of HTML', { kind: 'html' }],
]

/** The rows that every platform has to pass. They assert what happened on the platform, not only what was answered. */
export function describePlatform(about: PlatformCase): void {
  describe(`${about.name}, as every platform`, () => {
    const folder = temporaryFolder()
    const repository = join(folder.path, 'repository')
    const source = cloneAt(repository, folder.path)
    const commits: string[] = []
    let brokenCommit = ''
    let rig: PlatformRig
    let github: ReturnType<typeof memoryGitHub>
    let log: ReturnType<typeof arrayLog>
    let runs = 0

    beforeAll(() => {
      git(folder.path, 'init', '-q', '-b', 'main', 'repository')
      const commit = (message: string, tree: Tree) => addCommit(repository, { message, tree: below('agents/a', tree) })
      writeConfig('placeholder')
      for (const content of [0, 1, 2]) commits.push(commit(`feat: content ${content}`, about.tree(content)))
      git(repository, 'checkout', '-q', '-b', 'broken')
      git(repository, 'rm', '-q', '-r', 'agents/a')
      brokenCommit = commit('feat: break it', about.broken)
      git(repository, 'checkout', '-q', 'main')
    })
    afterAll(() => folder.remove())

    beforeEach(async () => {
      rig = await about.start()
      github = memoryGitHub()
      log = arrayLog()
    })
    afterEach(async () => {
      const { violations } = rig
      await rig.close()
      expect(violations).toEqual([])
      const told = JSON.stringify([github.deployments, log.lines])
      for (const secret of Object.values({ ...rig.credentials, ...about.agentEnv })) expect(told).not.toContain(secret)
    })

    function writeConfig(id: string): void {
      addCommit(repository, { message: 'chore: config', tree: { '.github/agents.yml': configText(id, {}) } })
    }

    function configText(id: string, deployKeys: Readonly<Record<string, unknown>>): string {
      const entry = { platform: about.platform.id, id, path: 'agents/a', ...about.entry }
      const settings = { ...(about.entry['deploy'] as object | undefined), ...deployKeys }
      return JSON.stringify({ version: 1, agents: { a: { ...entry, deploy: settings } } })
    }

    function ioWith(over: Partial<Io> = {}): Io {
      const scratch = mkdtempSync(join(folder.path, 'scratch-'))
      return testIo({ log, github, fetch, clock: hastenedClock(), source, scratch, ...over })
    }

    function requestFor(deployKeys: Readonly<Record<string, unknown>> = {}) {
      const text = configText(rig.agentId, deployKeys)
      const config = parseConfig(text, { path: '.github/agents.yml', platforms: [about.platform] })
      const trigger = { kind: 'comment', actor: 'ada', ref: undefined, url: undefined, id: `run-${++runs}` } as const
      const { agentEnv = {} } = about
      const { url: baseUrl, credentials } = rig
      const connection = { name: 'c', platform: about.platform.id, baseUrl, credentials, agentEnv }
      return { config, agents: ['a'], trigger, dryRun: false, wait: true, connect: () => connection }
    }

    async function deployContent(
      content: number,
      over: { io?: Partial<Io>; request?: Partial<DeployRequest>; keys?: Readonly<Record<string, unknown>> } = {},
    ): Promise<Outcome> {
      const commit = commits[content] ?? ''
      const [outcome] = await deploy({ ...requestFor(over.keys), commit, ...over.request }, ioWith(over.io))
      if (!outcome) throw new Error('there is no outcome')
      return outcome
    }

    async function rollBack(
      to: RollbackTo = { kind: 'previous' },
      over: { io?: Partial<Io>; request?: Partial<RollbackRequest> } = {},
    ): Promise<Outcome> {
      const request = { ...requestFor(), to, head: commits[2] ?? '', reason: undefined, cleanupFailed: true }
      const [outcome] = await rollback({ ...request, ...over.request }, ioWith(over.io))
      if (!outcome) throw new Error('there is no outcome')
      return outcome
    }

    const writes = () => writesIn(rig.requests, about)

    describe('deploying', () => {
      it('makes the first content live, once, and waits until it is', async () => {
        const outcome = await deployContent(0)

        expect(outcome).toMatchObject({ decision: 'deployed', code: 'released', status: 'live', warnings: [] })
        expect([rig.live(), rig.effects()]).toEqual([0, 1])
      })

      it('sends nothing that writes when nothing has changed', async () => {
        await deployContent(0)
        const before = writes()

        const outcome = await deployContent(0)

        expect(outcome).toMatchObject({ decision: 'skipped', code: 'unchanged' })
        expect(writes()).toBe(before)
      })

      it('changes nothing in a dry run, and names the version', async () => {
        await deployContent(0)
        const before = writes()

        const outcome = await deployContent(1, { request: { dryRun: true } })

        expect(outcome).toMatchObject({ decision: 'skipped', code: 'dry-run', releaseVersion: '1.1.0' })
        expect([writes(), rig.live()]).toEqual([before, 0])
      })

      it('counts the release version on from the one that is live', async () => {
        await deployContent(0)

        const outcome = await deployContent(1)

        expect(outcome).toMatchObject({ releaseVersion: '1.1.0', previousVersion: about.firstVersion ?? '1.0.0' })
      })

      it('refuses what breaks the platform’s rules before anything is sent', async () => {
        const [outcome] = await deploy({ ...requestFor(), commit: brokenCommit }, ioWith())

        expect(outcome).toMatchObject({ decision: 'refused' })
        expect(outcome?.message).toContain(about.brokenSays)
        expect([writes(), rig.effects()]).toEqual([0, 0])
      })

      it('does it once although the process died right after the effect', async () => {
        await deployContent(0)
        const steps = new Map<string, unknown>()
        const request = { trigger: { ...requestFor().trigger, id: 'the-same' } }
        await deployContent(1, { io: dyingAt('deploy.asked', { steps, github }), request })

        const outcome = await deployContent(1, { io: { journal: memoryJournal(steps) }, request })

        expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.1.0' })
        expect([rig.live(), rig.effects()]).toEqual([1, 2])
      })

      it.each(strategiesIn(about))('can do it %s', async (strategy) => {
        await deployContent(0, { keys: { strategy } })

        const outcome = await deployContent(1, { keys: { strategy } })

        expect(outcome).toMatchObject({ decision: 'deployed' })
        expect(rig.live()).toBe(1)
      })
    })

    describe('rolling back', () => {
      it('goes to the previous content, and then further back', async () => {
        for (const content of [0, 1, 2]) await deployContent(content)

        const first = await rollBack()
        const afterFirst = rig.live()
        const second = await rollBack()

        expect([first.decision, afterFirst]).toEqual(['rolled-back', 1])
        expect([second.decision, rig.live(), rig.effects()]).toEqual(['rolled-back', 0, 5])
      })

      it('goes to a version by its name', async () => {
        const released = [await deployContent(0), await deployContent(1), await deployContent(2)]

        const outcome = await rollBack({ kind: 'version', version: released[0]?.releaseVersion ?? '' })

        expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: released[0]?.releaseVersion })
        expect(rig.live()).toBe(0)
      })

      it('goes to what was live before the deploy of a commit', async () => {
        for (const content of [0, 1, 2]) await deployContent(content)

        await rollBack({ kind: 'before', commit: commits[1] ?? '' })

        expect(rig.live()).toBe(0)
      })

      it('does it once, to the same target, although the process died right after the effect', async () => {
        for (const content of [0, 1, 2]) await deployContent(content)
        const steps = new Map<string, unknown>()
        const request = { trigger: { ...requestFor().trigger, id: 'the-same' } }
        await rollBack(undefined, { io: dyingAt('rollback.asked', { steps, github }), request })

        const outcome = await rollBack(undefined, { io: { journal: memoryJournal(steps) }, request })

        expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.1.0' })
        expect([rig.live(), rig.effects()]).toEqual([1, 4])
      })

      it('refuses a version that there never was', async () => {
        await deployContent(0)

        const outcome = await rollBack({ kind: 'version', version: '9.9.9' })

        expect(outcome).toMatchObject({ decision: 'refused', code: 'version-unknown' })
        expect(rig.effects()).toBe(1)
      })

      it('holds pushes, and a command deploys the same commit once more', async () => {
        await deployContent(0)
        await deployContent(1)
        await rollBack()

        const push = await deployContent(1, { request: { trigger: { ...requestFor().trigger, kind: 'push' } } })
        const command = await deployContent(1)

        expect([push.decision, command.decision]).toEqual(['held', 'deployed'])
        expect([rig.live(), rig.effects()]).toEqual([1, 4])
      })
    })

    if (about.platform.document)
      describe('when somebody edits it on the platform', () => {
        it('refuses to overwrite the edit, and shows it', async () => {
          await deployContent(0)
          rig.edit?.()

          const outcome = await deployContent(1)

          expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
          expect(outcome.help).toContain('on-drift: overwrite')
          expect(outcome.drift?.length).toBeGreaterThan(0)
          expect([rig.live(), rig.effects()]).toEqual([undefined, 1])
        })

        it('overwrites it when the config says so', async () => {
          await deployContent(0)
          rig.edit?.()

          const outcome = await deployContent(1, { keys: { 'on-drift': 'overwrite' } })

          expect(outcome).toMatchObject({ decision: 'deployed' })
          expect(outcome.warnings.join()).toContain('overwritten')
          expect([rig.live(), rig.effects()]).toEqual([1, 2])
        })

        it('refuses when the edit comes between the plan and the change', async () => {
          await deployContent(0)
          const journal = { ...memoryJournal(), checkpoint: async () => rig.edit?.() }

          const outcome = await deployContent(1, { io: { journal } })

          expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
          expect([rig.live(), rig.effects()]).toEqual([undefined, 1])
        })
      })

    it('keeps its history in GitHub’s own records, as GitHub describes them', async () => {
      const real = await startGitHub({ root: mkdtempSync(join(folder.path, 'github-')) })
      onTestFinished(() => real.close())
      const { cloneUrl } = await real.addRepository({ owner: 'acme', name: 'agents' })
      real.setPermission('acme/agents', 'ada', 'maintain')
      const token = real.addToken({ login: 'ada' })
      await gitRemote(repository, 'push', '-q', cloneUrl.replace('://', `://x:${token}@`), 'main')
      const octokit = new Octokit({ auth: token, baseUrl: real.apiUrl, throttle: { enabled: false } })
      const io = { github: gitHubFor(octokit, { owner: 'acme', repo: 'agents', webUrl: real.url }) }

      const outcomes = [
        await deployContent(0, { io }),
        await deployContent(1, { io }),
        await rollBack(undefined, { io }),
      ]

      expect(outcomes.map(({ decision }) => decision)).toEqual(['deployed', 'deployed', 'rolled-back'])
      expect(outcomes.flatMap(({ warnings }) => warnings)).toEqual([])
      expect([rig.live(), real.violations]).toEqual([0, []])
    })

    describe('safe retry', () => {
      const hits = about.writes
        .filter((write) => write.of === undefined)
        .flatMap((write) =>
          faults.map(
            ([name, fault]) =>
              [
                name,
                `${write.method} ${write.path.source}`,
                { ...fault, method: write.method, path: write.path },
              ] as const,
          ),
        )

      it.each(hits)('deploys exactly once: %s at %s', async (_name, _at, fault) => {
        await deployContent(0)
        rig.fault(fault)

        const outcome = await deployContent(1)

        expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.1.0' })
        expect([rig.live(), rig.effects()]).toEqual([1, 2])
      })

      it.each(faults)('rolls back exactly once: %s', async (_, fault) => {
        await deployContent(0)
        await deployContent(1)
        for (const { method, path } of about.writes) rig.fault({ ...fault, method, path })

        const outcome = await rollBack()

        expect(outcome).toMatchObject({ decision: 'rolled-back' })
        expect([rig.live(), rig.effects()]).toEqual([0, 3])
      })

      /** Each request of the kinds that the agent's platform takes is hit once. */
      const hitAll = (fault: Fault) => {
        for (const { method, path } of about.writes) rig.fault({ ...fault, method, path })
        for (const after of [0, 1, 2]) rig.fault({ ...fault, method: 'GET', after })
      }

      it.each(faults)('sends nothing that writes when nothing has changed: %s', async (_, fault) => {
        await deployContent(0)
        const before = writes()
        hitAll(fault)

        const outcome = await deployContent(0)

        expect(outcome).toMatchObject({ decision: 'skipped', code: 'unchanged' })
        expect([writes(), rig.live(), rig.effects()]).toEqual([before, 0, 1])
      })

      const ways = strategiesIn(about).flatMap((way) => faults.map(([name, fault]) => [way, name, fault] as const))
      it.each(ways)('deploys exactly once, %s: %s', async (strategy, _, fault) => {
        await deployContent(0, { keys: { strategy } })
        const first = rig.effects()
        await deployContent(1, { keys: { strategy } })
        const second = rig.effects()
        hitAll(fault)

        const outcome = await deployContent(2, { keys: { strategy } })

        expect(outcome).toMatchObject({ decision: 'deployed' })
        // As much as the deploy before it, that nothing disturbed.
        expect([rig.live(), rig.effects() - second]).toEqual([2, second - first])
      })

      it.each(faults)('rolls back to a version by its name exactly once: %s', async (_, fault) => {
        const first = await deployContent(0)
        for (const content of [1, 2]) await deployContent(content)
        hitAll(fault)

        const outcome = await rollBack({ kind: 'version', version: first.releaseVersion ?? '' })

        expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: first.releaseVersion })
        expect([rig.live(), rig.effects()]).toEqual([0, 4])
      })

      if (about.platform.document)
        it.each(faults)('refuses to overwrite what somebody else changed: %s', async (_, fault) => {
          await deployContent(0)
          rig.edit?.()
          hitAll(fault)

          const outcome = await deployContent(1)

          expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
          expect([rig.live(), rig.effects()]).toEqual([undefined, 1])
        })

      it.each(faults)('reads again what could not be read: %s', async (_, fault) => {
        await deployContent(0)
        for (const after of [0, 1, 2]) rig.fault({ ...fault, method: 'GET', after })

        const outcome = await deployContent(1)

        expect(outcome).toMatchObject({ decision: 'deployed' })
        expect([rig.live(), rig.effects()]).toEqual([1, 2])
      })
    })
  })
}

function below(folder: string, tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([path, content]) => [`${folder}/${path}`, content]))
}
