import { type Place, settled, type TestApp } from './app.ts'
import { git, gitRemote } from './repository.ts'

export const repo = 'acme/agents'

export type Talk = ReturnType<typeof createTalk>

/** Pull requests and what is said on them; `app` is the one that runs at the moment. */
export function createTalk(place: Place, app: () => TestApp) {
  const repository = () => place.github.repository(repo)
  const rest = () => settled(app(), place.github)

  /** A branch with a change, and a pull request for it. */
  async function openPull(tree: Readonly<Record<string, string>>): Promise<number> {
    const branch = `change-${repository().nextNumber + 1}`
    git(place.work, 'checkout', '-q', '-b', branch, 'main')
    await place.push({ tree, message: `fix: ${branch}` }, branch)
    git(place.work, 'checkout', '-q', 'main')
    return await place.github.openPullRequest({ repo, head: branch, base: 'main', title: branch, author: 'ada' })
  }

  return {
    repository,
    rest,
    openPull,

    async mergedPull(tree: Readonly<Record<string, string>>): Promise<number> {
      const number = await openPull(tree)
      await place.github.mergePullRequest({ repo, number, by: 'ada' })
      await rest()
      await gitRemote(place.work, 'pull', '-q', 'origin', 'main')
      return number
    },

    async say(number: number, body: string, author = 'ada'): Promise<number> {
      const id = place.github.comment({ repo, number, author, body })
      await rest()
      return id
    },

    /** Of this app, on every pull request. */
    replies: () => repository().comments.filter(({ author }) => author === 'agent-deploy[bot]'),

    reactionsOf: (id: number) =>
      repository()
        .comments.find((comment) => comment.id === id)
        ?.reactions.map(({ content }) => content),
  }
}
