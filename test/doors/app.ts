import { createPlace, type Place, settled, startTestApp } from '../support/app.ts'
import { git, gitRemote } from '../support/repository.ts'
import { type Actor, type Commit, commitAll, type Door, plain, type Report, reportsIn, type Reports } from './door.ts'

const repo = 'acme/agents'
/** For an agent on every platform at once, on a machine that has more to do. */
const patienceMs = 90_000

/** The App: pushes as webhooks, everything else as comments on pull requests. */
export async function openApp(actors: readonly Actor[]): Promise<Door> {
  const place = await createPlace()
  const app = await startTestApp(place, {
    platforms: [...new Set(actors.map(({ about }) => about.platform))],
    connections: JSON.stringify(Object.fromEntries(actors.map((actor) => [actor.name, connectionOf(actor)]))),
    env: Object.fromEntries(actors.flatMap(variablesOf)),
  })
  const names = actors.map(({ name }) => name)
  const repository = () => place.github.repository(repo)
  const rest = () => settled(app, place.github, patienceMs)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
  const merged = await openPull(place, 'merged', { 'notes.md': 'to be read\n' })
  await place.github.mergePullRequest({ repo, number: merged, by: 'ada' })
  await gitRemote(place.work, 'pull', '-q', 'origin', 'main')
  const open = await openPull(place, 'open', { 'more.md': 'to be read, too\n' })
  await rest()

  async function say(number: number, lines: readonly string[]): Promise<Reports> {
    place.github.comment({ repo, number, author: 'ada', body: lines.join('\n') })
    await rest()
    const answer = repository().comments.find((comment) => comment.number === number && comment.author !== 'ada')
    return reportsIn(answer?.body ?? '', names)
  }

  return {
    async push(commit: Commit) {
      const sha = commitAll(place.work, commit)
      await gitRemote(place.work, 'push', '-q', 'origin', 'HEAD:main')
      await rest()
      return new Map(names.map((name) => [name, checkOf(place, { sha, name })]))
    },
    async plan(commit) {
      git(place.work, 'checkout', '-q', '-b', 'planned')
      commitAll(place.work, commit)
      await gitRemote(place.work, 'push', '-q', 'origin', 'HEAD:planned')
      git(place.work, 'checkout', '-q', 'main')
      const number = await place.github.openPullRequest({
        ...{ repo, head: 'planned', base: 'main' },
        ...{ title: 'A plan', author: 'ada' },
      })
      return await say(number, ['/plan all'])
    },
    deploy: () => say(merged, [`/deploy ${names.join(' ')}`]),
    rollBack: (versions = {}) =>
      say(
        open,
        names.map((name) => `/rollback ${name} ${versions[name] ?? ''}`),
      ),
    told: () =>
      JSON.stringify([app.log.lines, repository().deployments, repository().checkRuns, repository().comments]),
    async close() {
      await app.stop()
      const problems = [...place.github.violations, ...app.log.lines.filter((line) => line.startsWith('error'))]
      await place.close()
      if (problems.length > 0) throw new Error(JSON.stringify(problems))
    },
  }
}

function connectionOf({ about, rig, name }: Actor) {
  const variables = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.keys(values).map((key) => [key, `${name}_${key}`]))
  return {
    platform: about.platform.id,
    'base-url': rig.url,
    credentials: variables(rig.credentials),
    ...(about.agentEnv ? { env: variables(about.agentEnv) } : {}),
    repositories: ['acme/*'],
  }
}

function variablesOf({ about, rig, name }: Actor): [string, string][] {
  return Object.entries({ ...rig.credentials, ...about.agentEnv }).map(([key, value]) => [`${name}_${key}`, value])
}

async function openPull(place: Place, branch: string, tree: Readonly<Record<string, string>>): Promise<number> {
  git(place.work, 'checkout', '-q', '-b', branch, 'main')
  await place.push({ tree, message: `docs: ${branch}` }, branch)
  git(place.work, 'checkout', '-q', 'main')
  return await place.github.openPullRequest({ repo, head: branch, base: 'main', title: branch, author: 'ada' })
}

/** The agent's check run; that of the config file where no agent got that far. */
function checkOf(place: Place, about: { sha: string; name: string }): Report {
  const runs = place.github.repository(repo).checkRuns.filter(({ headSha }) => headSha === about.sha)
  const run = runs.find(({ name }) => name === `agent-deploy / ${about.name}`)
  const text = plain(`${run?.output.title ?? ''}\n${run?.output.summary ?? ''}`)
  const [, decision = 'none', code = ''] = /: ([a-z-]+) \(([a-z-]+)\)$/m.exec(run?.output.title ?? '') ?? []
  if (run) return { decision, code, text }
  const config = runs.find(({ name }) => name === 'agent-deploy / config')
  if (!config) return { decision, code, text }
  return { decision: 'refused', code: 'config-invalid', text: plain(config.output.summary ?? '') }
}
