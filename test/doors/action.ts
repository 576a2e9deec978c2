import { join } from 'node:path'
import { startGitHub } from '../../app/sandbox/github/server.ts'
import { git, gitRemote, temporaryFolder } from '../support/repository.ts'
import { type Result, runStep } from '../support/runner.ts'
import { type Actor, type Commit, commitAll, type Door, plain, type Report, type Reports } from './door.ts'

/** The built Action as child processes, one step per agent as in a matrix, in fresh clones of the repository. */
export async function openAction(actors: readonly Actor[]): Promise<Door> {
  const folder = temporaryFolder()
  const github = await startGitHub({ root: join(folder.path, 'github') })
  const repository = await github.addRepository({ owner: 'acme', name: 'agents', private: true })
  github.setPermission('acme/agents', 'ada', 'maintain')
  const permissions = { contents: 'read', deployments: 'write', metadata: 'read' }
  const token = github.addToken({ login: 'github-actions[bot]', permissions, repositories: ['acme/agents'] })
  const maintainer = github.addToken({ login: 'ada' })
  const work = join(folder.path, 'work')
  git(folder.path, 'init', '-q', '-b', 'main', 'work')
  git(work, 'remote', 'add', 'origin', repository.cloneUrl.replace('://', `://x:${maintainer}@`))
  const results: Result[] = []
  let runs = 0

  async function clone(): Promise<string> {
    const workspace = join(folder.path, `workspace-${++runs}`)
    const address = repository.cloneUrl.replace('://', `://x:${token}@`)
    await gitRemote(folder.path, 'clone', '-q', address, workspace)
    return workspace
  }

  async function step(actor: Actor, given: { workspace: string; event: string; inputs?: Record<string, string> }) {
    const { env } = actor.about.platform
    const result = await runStep({
      folder: join(folder.path, 'runner'),
      workspace: given.workspace,
      github: { apiUrl: github.apiUrl, url: github.url, token },
      runId: ++runs,
      event: { name: given.event, payload: {} },
      inputs: { agent: actor.name, ...given.inputs },
      env: { [env.baseUrl]: actor.rig.url, ...actor.rig.credentials, ...agentEnvOf(actor) },
      secrets: Object.values({ ...actor.rig.credentials, ...actor.about.agentEnv }),
    })
    results.push(result)
    return result
  }

  async function all(given: {
    event: string
    workspace?: string
    who?: (about: Actor['about']) => boolean
    inputs?: (actor: Actor) => Record<string, string>
  }): Promise<Reports> {
    const workspace = given.workspace ?? (await clone())
    const meant = actors.filter(({ about }) => given.who?.(about) ?? true)
    const reports = meant.map(async (actor) => {
      const inputs = given.inputs?.(actor) ?? {}
      return [actor.name, reportOf(await step(actor, { workspace, event: given.event, inputs }))] as const
    })
    return new Map(await Promise.all(reports))
  }

  return {
    async push(commit: Commit, who) {
      commitAll(work, commit)
      await gitRemote(work, 'push', '-q', 'origin', 'HEAD:main')
      return await all({ event: 'push', ...(who ? { who } : {}) })
    },
    async plan(commit) {
      const workspace = await clone()
      commitAll(workspace, commit)
      return await all({ event: 'pull_request', workspace, inputs: () => ({ command: 'plan' }) })
    },
    deploy: () => all({ event: 'workflow_dispatch' }),
    rollBack: (versions = {}) =>
      all({
        event: 'workflow_dispatch',
        inputs: ({ name }) => ({
          command: 'rollback',
          ...(versions[name] ? { 'target-version': versions[name] } : {}),
        }),
      }),
    told: () => JSON.stringify([results.map(logOf), github.repository('acme/agents').deployments]),
    async close() {
      const { violations } = github
      await github.close()
      folder.remove()
      if (violations.length > 0) throw new Error(JSON.stringify(violations))
    },
  }
}

function agentEnvOf({ about }: Actor): Record<string, string> {
  const values = Object.entries(about.agentEnv ?? {})
  return Object.fromEntries(values.map(([name, value]) => [`${about.platform.env.agentPrefix}${name}`, value]))
}

/** The mask itself is for the runner, which does not show it. */
function logOf({ stdout, ...rest }: Result): Omit<Result, 'commands'> {
  const { commands: _, ...shown } = rest
  return { ...shown, stdout: stdout.replace(/^::add-mask::.*$/gm, '') }
}

function reportOf({ outputs, summary, commands, stdout, stderr }: Result): Report {
  const said = commands.filter(({ name }) => name === 'error' || name === 'warning').map(({ message }) => message)
  const { decision = `none: ${stdout}${stderr}`, 'reason-code': code = '' } = outputs
  return { decision, code, text: plain([summary, ...said].join('\n')) }
}
