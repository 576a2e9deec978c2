import type { Agent } from '../src/config/config.ts'
import { fail } from '../src/errors.ts'
import type { RollbackTo, Trigger } from '../src/request.ts'
import type { CommandName } from './command.ts'
import type { Asked } from './asked.ts'
import type { OperationKind, OperationRequest, WantedOperation } from './engine/operations.ts'
import { readHead } from './newest.ts'

interface Command {
  readonly name: Exclude<CommandName, 'help' | 'status' | 'plan'>
  readonly version: string | undefined
  readonly reason: string | undefined
}

/** The operations that a command asks for, one per agent, with everything that may change later pinned now. */
export async function wantedBy(
  command: Command,
  at: { index: number; asked: Asked; agents: readonly Agent[] },
): Promise<readonly WantedOperation[]> {
  const { asked, agents, index } = at
  const wanted: WantedOperation[] = []
  for (const agent of agents) {
    const id = `${asked.id}/${index}/${agent.name}`
    const { commit, ref, ...aimed } = await aim(command, { agent, asked })
    const request = { ...aimed.request, webhook: asked.facts.delivery }
    const trigger: Trigger = { kind: 'comment', actor: asked.facts.author, ref, url: asked.facts.url, id }
    const group = { agent: agent.name, delivery: `${asked.id}/${index}`, commentId: asked.id }
    wanted.push({ id, kind: command.name satisfies OperationKind, commit, trigger, request, ...group })
  }
  return wanted
}

interface Aim {
  readonly commit: string
  readonly ref: string | undefined
  readonly request: OperationRequest
}

async function aim(command: Command, { agent, asked }: { agent: Agent; asked: Asked }): Promise<Aim> {
  const pull = await asked.pull()
  const reason = command.reason === undefined ? {} : { reason: command.reason }
  if (command.name !== 'deploy') {
    const to = rollbackTo(command.version, pull.mergeCommit)
    const request = command.name === 'rollback' ? { ...reason, to } : reason
    return { commit: pull.mergeCommit ?? pull.headSha, ref: undefined, request }
  }
  if (pull.isOpen) {
    if (pull.fork !== undefined) throw fail('fork-refused', { number: pull.number, fork: pull.fork })
    return { commit: pull.headSha, ref: `refs/heads/${pull.headRef}`, request: reason }
  }
  const branch = agent.deploy.branch ?? asked.facts.repository.defaultBranch
  const head = await readHead(asked.github, branch)
  if (head === undefined)
    throw fail('input-invalid', { input: 'deploy.branch', value: branch, problem: 'there is no such branch' })
  return { commit: head, ref: `refs/heads/${branch}`, request: reason }
}

/** On a merged pull request: to what was live before its deploy. */
function rollbackTo(version: string | undefined, mergeCommit: string | undefined): RollbackTo {
  if (version !== undefined) return { kind: 'version', version }
  return mergeCommit === undefined ? { kind: 'previous' } : { kind: 'before', commit: mergeCommit }
}
