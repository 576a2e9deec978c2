import type { Agent } from '../src/config/config.ts'
import { explain } from '../src/errors.ts'
import type { Clock } from '../src/io.ts'
import type { Platform } from '../src/platforms/platform.ts'
import { createConfigReader } from './config-file.ts'
import { chooseConnection } from './connections.ts'
import type { Repository } from './engine/agents.ts'
import type { Settings } from './env.ts'
import type { Finding } from './finding.ts'
import { installationGitHub } from './github.ts'
import type { GitHubApp } from './probot.ts'

/** More repositories are not looked at: that would take minutes. */
const mostRepositories = 50

/** An agent of a repository, and the connection that it uses. */
export interface Use {
  readonly repository: string
  readonly agent: Agent
  readonly connection: string
}

/** What the agents of the repositories that are known need: a connection each, and to write releases where they ask for it. */
export async function examineUse(
  settings: Settings,
  io: {
    gitHub: GitHubApp
    repositories: readonly Repository[]
    grants: ReadonlyMap<number, Readonly<Record<string, string>>>
    platforms: readonly Platform[]
    clock: Clock
  },
): Promise<{ uses: readonly Use[]; findings: readonly Finding[] }> {
  const uses: Use[] = []
  const findings: Finding[] = []
  const configs = createConfigReader({ path: settings.configPath, platforms: io.platforms })
  for (const repository of io.repositories.slice(0, mostRepositories)) {
    const name = `${repository.owner}/${repository.repo}`
    try {
      const octokit = await io.gitHub.octokit(repository.installation)
      const github = installationGitHub(octokit, { repository, clock: io.clock })
      const { agents } = await configs.demand(github, repository.defaultBranch)
      uses.push(...agents.flatMap((agent) => useOf(agent, { name, settings, findings })))
      findings.push(...judgeReleases(agents, { name, granted: io.grants.get(repository.installation) }))
    } catch (error) {
      const { message, help } = explain(error)
      findings.push({ name: `repository ${name}`, problem: message, remedy: help })
    }
  }
  return { uses, findings }
}

function useOf(agent: Agent, about: { name: string; settings: Settings; findings: Finding[] }): Use[] {
  try {
    const { name: connection } = chooseConnection(about.settings.connections, { agent, repository: about.name })
    return [{ repository: about.name, agent, connection }]
  } catch (error) {
    const { message, help } = explain(error)
    about.findings.push({ name: `agent ${agent.name} of ${about.name}`, problem: message, remedy: help })
    return []
  }
}

function judgeReleases(
  agents: readonly Agent[],
  about: { name: string; granted: Readonly<Record<string, string>> | undefined },
): Finding[] {
  const asking = agents.filter(({ release }) => release).map(({ name }) => name)
  if (asking.length === 0 || about.granted === undefined || about.granted['contents'] === 'write') return []
  return [
    {
      name: `releases of ${about.name}`,
      problem: `${asking.join(', ')}: \`release: true\` needs the permission contents: write, which is not accepted`,
      remedy:
        'Give it to the app in its settings and let an owner accept it, or take `release` out of the config file.',
    },
  ]
}
