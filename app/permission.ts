import { z } from 'zod'
import type { Agent } from '../src/config/config.ts'
import { fail } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'

/** GitHub's repository roles, weakest first (REST: "Get repository permissions for a user"). */
const levels: readonly string[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

/** What one person may do here, read at this moment and asked once per command. */
export interface Commander {
  readonly login: string
  readonly level: string
  isMember(org: string, team: string): Promise<boolean>
}

export async function readCommander(github: GitHub, login: string): Promise<Commander> {
  return {
    login,
    level: await readLevel(github, login),
    isMember: (org, team) => readMembership(github, { org, team, login }),
  }
}

/** Throws `permission-denied`, which says which rule, from where, and who may. */
export async function authorize(
  commander: Commander,
  asked: { agent: Agent; command: string; path: string },
): Promise<void> {
  const { agent, command, path } = asked
  for (const rule of agent.allow) {
    if (await matches(rule, commander)) return
  }
  throw fail('permission-denied', {
    actor: commander.login,
    permission: commander.level,
    command,
    allowed: agent.allow,
    rule: `\`rollback.allow\` of "${agent.name}" in ${path} on the default branch`,
    who: `someone with ${agent.allow.join(' or ')}`,
  })
}

async function matches(rule: string, commander: Commander): Promise<boolean> {
  if (!rule.startsWith('@')) return levels.indexOf(commander.level) >= levels.indexOf(rule)
  const [owner = '', team] = rule.slice(1).split('/')
  if (team === undefined) return owner.toLowerCase() === commander.login.toLowerCase()
  return await commander.isMember(owner, team)
}

const Permission = z.object({ permission: z.string(), role_name: z.string().nullish() })

async function readLevel(github: GitHub, login: string): Promise<string> {
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
      username: login,
    })
    const { permission, role_name } = Permission.parse(data)
    // `permission` folds maintain into write and triage into read; `role_name` has them, or the name of a custom role.
    return role_name && levels.includes(role_name) ? role_name : permission
  } catch (error) {
    if (isStatus(error, 404)) return 'none'
    throw error
  }
}

async function readMembership(github: GitHub, asked: { org: string; team: string; login: string }): Promise<boolean> {
  try {
    const { data } = await github.request('GET /orgs/{org}/teams/{team_slug}/memberships/{username}', {
      org: asked.org,
      team_slug: asked.team,
      username: asked.login,
    })
    return z.object({ state: z.string() }).parse(data).state === 'active'
  } catch (error) {
    if (isStatus(error, 404)) return false
    throw error
  }
}

export function isStatus(error: unknown, status: number): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === status
}
