import { expect, it } from 'vitest'
import { weigh } from '../../src/version/bump.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { readGitHubHistory } from '../../src/version/history-github.ts'
import type { History } from '../../src/version/version.ts'
import { fakeGitHub } from './fake-github.ts'
import { randomHistory, randomOf } from './random-history.ts'
import { makeRepository, runGit } from './repository.ts'
import type { Repository } from './repository.ts'

const scopes = [
  { path: 'a', watchPaths: [] },
  { path: 'b', watchPaths: ['shared/**'] },
  { path: '', watchPaths: [] },
]

const firstSeed = Number(process.env['SEED'] ?? 20_260_801)

/** Appended with real shas, which a plan can't know: each new commit reverts, or picks, one of the random ones or another of these. */
async function withReverts(repository: Repository, random: (below: number) => number): Promise<string> {
  const shas = [...repository.shas]
  let tip = shas.at(-1) ?? ''
  for (let count = 0; count < 5; count++) {
    const target = shas[shas.length - 1 - random(Math.min(shas.length, 8))] ?? ''
    const subject = (await repository.git('show', '-s', '--format=%s', target)).trim()
    const verb = subject.startsWith('Revert "') && random(2) === 0 ? 'Reapply' : 'Revert'
    const named = random(3) === 0 ? target.slice(0, 10) : target
    const message =
      random(4) === 0
        ? `${subject}\n\n(cherry picked from commit ${target})\n`
        : `${verb} "${subject}"\n\nThis reverts commit ${named}.\n`
    const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org']
    const treeOf = random(2) === 0 ? tip : target
    tip = (await repository.git(...identity, 'commit-tree', `${treeOf}^{tree}`, '-p', tip, '-m', message)).trim()
    shas.push(tip)
  }
  await repository.git('update-ref', 'refs/heads/main', tip)
  return tip
}

/** Tags of versions on commits of all lines, so also where `main` never comes by: nothing may be counted from them. */
async function withTags(repository: Repository, random: (below: number) => number): Promise<void> {
  for (const name of ['v9.9.9', 'agent-v7.0.0', '2.0.0'])
    await repository.git('tag', name, repository.shas[random(repository.shas.length)] ?? '')
}

/** A commit with some ancestor in common with `to`: GitHub compares no others. */
async function relatedTo(
  repository: Repository,
  { to, random }: { to: string; random: (below: number) => number },
): Promise<string> {
  for (;;) {
    const from = repository.shas[random(repository.shas.length)] ?? to
    const base = await repository.git('merge-base', from, to).catch(() => undefined)
    if (base !== undefined) return from
  }
}

const sorted = (history: History) => ({
  ...history,
  source: 'any',
  commits: history.commits.map((commit) => ({ ...commit, files: commit.files?.toSorted() })),
})

it.each(Array.from({ length: 12 }, (_, index) => firstSeed + index))(
  'clone, shallow clone and GitHub give the same commits, and so the same version (seed %i)',
  { timeout: 30_000 },
  async (seed) => {
    const random = randomOf(seed)
    const repository = await makeRepository(randomHistory(random, 12 + random(40)))
    try {
      const to = await withReverts(repository, random)
      const from = await relatedTo(repository, { to, random })
      const range = { from, to, withFiles: true }
      const untagged = await readGitHistory(range, { directory: repository.directory })
      await withTags(repository, random)

      const local = await readGitHistory(range, { directory: repository.directory })
      const remote = await readGitHubHistory(range, fakeGitHub(repository.directory))
      const clone = await repository.clone('clone', `--depth=${1 + random(12)}`)
      const shallow = await readGitHistory(range, { directory: clone })

      expect(local).toEqual(untagged)
      expect(sorted(remote)).toEqual(sorted(local))
      expect(sorted(shallow)).toEqual(sorted(local))
      for (const { path } of scopes) {
        if (path === '') continue
        const isInside = (file: string) => file === path || file.startsWith(`${path}/`)
        const wanted = local.commits.map((commit) => ({ ...commit, files: commit.files?.filter(isInside) }))
        const limited = [repository.directory, clone].map((directory) =>
          readGitHistory({ ...range, below: path }, { directory }),
        )
        for (const below of await Promise.all(limited)) expect(below.commits).toEqual(wanted)
      }
      for (const scope of scopes) {
        expect({ ...weigh(remote, scope), source: '' }).toEqual({ ...weigh(local, scope), source: '' })
      }
      expect(local.commits.length).toBe(
        Number(await runGit(repository.directory, ['rev-list', '--count', `${from}..${to}`])),
      )
    } finally {
      await repository.remove()
    }
  },
)

it('of 10,000 commits both give the same, in the same order', { timeout: 120_000 }, async () => {
  const random = randomOf(7)
  const subjects = ['feat: x', 'fix: x', 'chore: x', 'Update', 'feat!: x']
  const repository = await makeRepository(
    Array.from({ length: 10_000 }, (_, index) => ({
      // A side line of one commit now and then, merged at once.
      parents: index === 0 ? [] : index > 2 && index % 50 === 0 ? [index - 1, index - 3] : [index - 1],
      message: subjects[random(subjects.length)] ?? '',
      tree: { 'a/main.py': `${index}` },
    })),
  )
  try {
    const range = { from: repository.shas[0] ?? '', to: repository.shas.at(-1) ?? '', withFiles: false }

    const local = await readGitHistory(range, { directory: repository.directory })
    const remote = await readGitHubHistory(range, fakeGitHub(repository.directory))

    expect(local.commits).toHaveLength(9999)
    expect(sorted(remote)).toEqual(sorted(local))
  } finally {
    await repository.remove()
  }
})
