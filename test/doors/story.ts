import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PlatformCase, strategiesIn, type Tree, writesIn } from '../platforms/case.ts'
import type { Actor, Commit, Door, Report, Reports } from './door.ts'

/** Servers, git, agents and child processes of every platform at once take a few seconds a row. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** What was reported of a row, and what came of it on the platform. */
interface Seen extends Report {
  readonly live: number | undefined
  /** In this row. */
  readonly effects: number
  readonly writes: number
  /** The platform was asked again after the last change: nobody took its word for it. */
  readonly wasRead: boolean
}

interface Row {
  readonly who?: (about: PlatformCase) => boolean
  act(door: Door): Promise<Reports>
  sees(actor: Actor, seen: Seen): void
}

/**
 * One day of a repository with an agent on every platform, through one door. Each row goes on from where the one before it
 * ended; all agents are taken through it at once, and each is a test of its own.
 */
export function tellStory(
  title: string,
  given: {
    readonly cases: Readonly<Record<string, PlatformCase>>
    readonly open: (actors: readonly Actor[]) => Promise<Door>
  },
): void {
  describe(title, () => {
    const { cases } = given
    const actors: Actor[] = []
    let door: Door

    beforeAll(async () => {
      for (const [name, about] of Object.entries(cases)) actors.push({ name, about, rig: await about.start() })
      door = await given.open(actors)
    })
    afterAll(async () => {
      const told = door.told()
      const violations = actors.flatMap(({ rig }) => rig.violations)
      await door.close()
      await Promise.all(actors.map(({ rig }) => rig.close()))
      expect(violations).toEqual([])
      for (const { rig, about } of actors)
        for (const secret of Object.values({ ...rig.credentials, ...about.agentEnv }))
          expect(told).not.toContain(secret)
    })

    function row(what: string, { who = () => true, act, sees }: Row): void {
      const names = Object.keys(cases).filter((name) => cases[name] && who(cases[name]))
      describe(what, () => {
        const seen = new Map<string, Seen>()
        beforeAll(async () => {
          const before = actors.map(({ about, rig }) => [rig.effects(), writesIn(rig.requests, about)] as const)
          const reports = await act(door)
          for (const [at, actor] of actors.entries()) {
            const { about, rig, name } = actor
            const [effects = 0, writes = 0] = before[at] ?? []
            const report = reports.get(name) ?? { decision: 'none', code: '', text: [...reports.values()].join() }
            const now = { live: rig.live(), effects: rig.effects() - effects, wasRead: wasRead(actor) }
            seen.set(name, { ...report, ...now, writes: writesIn(rig.requests, about) - writes })
          }
        })
        it.each(names)('%s', (name) => {
          const [actor, now] = [actors.find((one) => one.name === name), seen.get(name)]
          if (!actor || !now) throw new Error(`nothing was seen of ${name}`)
          sees(actor, now)
        })
      })
    }

    const contents: Record<string, number> = {}
    const content = (number: number, over: Over = {}) => {
      for (const { name, about } of actors) if (over.who?.(about) ?? true) contents[name] = number
      return commitOf(actors, { contents, ...over })
    }

    row('the first deploy to an existing agent makes it live, and asks until it is', {
      act: (through) => through.push(content(0, { message: 'feat: begin' })),
      sees({ about }, seen) {
        expect(seen).toMatchObject({ decision: 'deployed', code: 'released', live: 0, effects: 1, wasRead: true })
        expect(seen.text).toContain(about.firstVersion ?? '1.0.0')
      },
    })

    row('nothing is written when nothing has changed', {
      act: (through) => through.push(content(0, { message: 'fix: something beside', beside: 'once' })),
      sees(_, seen) {
        expect(seen).toMatchObject({ decision: 'skipped', code: 'unchanged', live: 0, effects: 0, writes: 0 })
      },
    })

    row('a plan says what would change, and changes nothing', {
      act: (through) => through.plan(content(1, { message: 'feat: one' })),
      sees({ about }, seen) {
        expect(seen).toMatchObject({ decision: 'skipped', code: 'dry-run', live: 0, effects: 0, writes: 0 })
        expect(seen.text).toContain('1.1.0')
        if (about.platform.document) expect(seen.text).toContain('- Content 0\n+ Content 1')
      },
    })

    row('a strategy that it can’t do is refused, with those it can', {
      act: (through) => through.push(content(1, { message: 'feat: one', strategy: cannotDo })),
      sees({ about }, seen) {
        expect(seen).toMatchObject({ decision: 'refused', code: 'config-invalid', live: 0, effects: 0, writes: 0 })
        const { title } = about.platform
        if (strategiesIn(about).length === 0)
          expect(seen.text).toContain(`${title} can't do "blue-green"; it can do none`)
        else expect(seen.text).toMatch(/"rolling"\|"blue-green"/)
      },
    })

    row('the strategy that it is asked for is the one that it does', {
      act: (through) => through.push(content(1, { message: 'feat: one', strategy: canDo })),
      sees({ about, rig }, seen) {
        expect(seen).toMatchObject({ decision: 'deployed', code: 'released', live: 1, effects: 1 })
        expect(rig.lastStrategy?.()).toBe(canDo(about))
      },
    })

    row('a change whose replies are all lost is made once', {
      act(through) {
        for (const actor of actors) loseReplies(actor)
        return through.push(content(2, { message: 'feat: two' }))
      },
      sees(_, seen) {
        expect(seen).toMatchObject({ decision: 'deployed', code: 'released', live: 2, effects: 1 })
      },
    })

    row('a rollback goes to the version before', {
      act: (through) => through.rollBack(),
      sees(_, seen) {
        expect(seen).toMatchObject({ decision: 'rolled-back', code: 'requested', live: 1, effects: 1 })
        expect(seen.text).toContain('1.1.0')
      },
    })

    row('a rollback to a version by its name, with all replies lost, is made once', {
      act(through) {
        for (const actor of actors) loseReplies(actor)
        return through.rollBack(firstVersions(cases))
      },
      sees({ about }, seen) {
        expect(seen).toMatchObject({ decision: 'rolled-back', code: 'requested', live: 0, effects: 1 })
        expect(seen.text).toContain(about.firstVersion ?? '1.0.0')
      },
    })

    row('a push is held after it', {
      act: (through) => through.push(content(2, { message: 'fix: something beside', beside: 'twice' })),
      sees(_, seen) {
        expect(seen).toMatchObject({ decision: 'held', code: 'on-hold', live: 0, effects: 0, writes: 0 })
      },
    })

    row('a command deploys what was rolled back once more', {
      act: (through) => through.deploy(),
      sees(_, seen) {
        expect(seen).toMatchObject({ decision: 'deployed', code: 'released', live: 2, effects: 1 })
      },
    })

    row('what breaks its rules is refused before anything is sent', {
      act: (through) => through.push(content(2, { message: 'feat: break it', isBroken: true })),
      sees({ about }, seen) {
        expect(seen).toMatchObject({ decision: 'refused', live: 2, effects: 0, writes: 0 })
        expect(seen.text).toContain(about.brokenSays)
      },
    })

    describe('when somebody else changes it', () => {
      const edits = ({ platform }: PlatformCase) => platform.document !== undefined
      const deploys = (about: PlatformCase) => !edits(about)

      row('with a deploy of a version: ours comes on top of it, and says so', {
        who: deploys,
        async act(through) {
          for (const { rig } of actors) await rig.deployElsewhere?.()
          return await through.push(content(0, { who: deploys, message: 'feat: zero' }), deploys)
        },
        sees({ about }, seen) {
          expect(seen).toMatchObject({ decision: 'deployed', live: 0, effects: 1 })
          if (!about.servesApart) expect(seen.text).toContain('somebody deployed outside of Agent Deploy')
        },
      })

      row('before the deploy: it is refused, with the difference', {
        who: edits,
        act(through) {
          for (const { rig } of actors) rig.edit?.()
          return through.push(content(1, { who: edits, message: 'feat: one' }), edits)
        },
        sees(_, seen) {
          expect(seen).toMatchObject({ decision: 'refused', code: 'changed-elsewhere', live: undefined, effects: 0 })
          expect(seen).toMatchObject({ writes: 0 })
          expect(seen.text).toContain('better so')
          expect(seen.text).toContain('on-drift: overwrite')
        },
      })

      row('before the deploy, and the config has it overwritten: that is said', {
        who: edits,
        act: (through) => through.push(content(1, { who: edits, message: 'feat: one', drift: 'overwrite' }), edits),
        sees(_, seen) {
          expect(seen).toMatchObject({ decision: 'deployed', live: 1, effects: 1 })
          expect(seen.text).toContain('the edit is overwritten')
        },
      })

      row('at the last moment, in what we do not manage: the change is planned again, and made once', {
        who: edits,
        act(through) {
          for (const { rig } of actors) rig.meanwhile?.(() => rig.editBeside?.())
          return through.push(content(2, { who: edits, message: 'feat: two' }), edits)
        },
        sees({ rig }, seen) {
          expect(seen).toMatchObject({ decision: 'deployed', live: 2, effects: 1 })
          expect(rig.hasEditBeside?.()).toBe(true)
        },
      })

      row('at the last moment, in what we manage: it is refused, with the difference', {
        who: edits,
        act(through) {
          for (const { rig } of actors) rig.meanwhile?.(() => rig.edit?.())
          return through.push(content(0, { who: edits, message: 'feat: zero' }), edits)
        },
        sees(_, seen) {
          expect(seen).toMatchObject({ decision: 'refused', code: 'changed-elsewhere', live: undefined, effects: 0 })
          expect(seen.text).toContain('better so')
        },
      })
    })
  })
}

interface Over {
  /** Whose content it is; the others keep theirs. */
  readonly who?: (about: PlatformCase) => boolean
  readonly message?: string
  /** Text of a file that redeploys every agent and ships with none. */
  readonly beside?: string
  readonly strategy?: (about: PlatformCase) => string | undefined
  readonly drift?: 'overwrite'
  readonly isBroken?: true
}

function commitOf(actors: readonly Actor[], over: Over & { contents: Readonly<Record<string, number>> }): Commit {
  const { contents, message = 'feat: change', beside = 'nothing', isBroken } = over
  const agents = actors.map((actor) => [actor.name, entryOf(actor, over)] as const)
  const trees = actors.map(({ name, about }) =>
    below(`agents/${name}`, isBroken ? about.broken : about.tree(contents[name] ?? 0)),
  )
  const config = JSON.stringify({ version: 1, agents: Object.fromEntries(agents) }, null, 2)
  return {
    message,
    tree: { '.github/agents.yml': config, 'shared/note.md': beside, ...(Object.assign({}, ...trees) as Tree) },
  }
}

function entryOf({ name, about, rig }: Actor, { strategy, drift }: Over) {
  const wanted = strategy?.(about)
  const deploy = {
    ...(about.entry['deploy'] as object | undefined),
    ...(wanted ? { strategy: wanted } : {}),
    ...(drift && about.platform.document ? { 'on-drift': drift } : {}),
  }
  const where = { platform: about.platform.id, id: rig.agentId, path: `agents/${name}`, connection: name }
  return { ...where, ...about.entry, deploy, 'watch-paths': ['shared/**'] }
}

/** Blue-green where there is a choice. */
function canDo(about: PlatformCase): string | undefined {
  return strategiesIn(about).find((strategy) => strategy === 'blue-green')
}

function cannotDo(about: PlatformCase): string {
  return strategiesIn(about).length === 0 ? 'blue-green' : 'canary'
}

function firstVersions(cases: Readonly<Record<string, PlatformCase>>): Record<string, string> {
  return Object.fromEntries(Object.entries(cases).map(([name, { firstVersion }]) => [name, firstVersion ?? '1.0.0']))
}

/** The next of every request that changes something takes effect, and nobody hears of it. */
function loseReplies({ about, rig }: Actor): void {
  for (const { method, path } of about.writes) rig.fault({ kind: 'reset-after', method, path })
}

function wasRead({ about, rig }: Actor): boolean {
  const writing = rig.requests.findLastIndex((request) => writesIn([request], about) > 0)
  return rig.requests.slice(writing + 1).some(({ method }) => method === 'GET')
}

function below(folder: string, tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([path, file]) => [`${folder}/${path}`, file]))
}
