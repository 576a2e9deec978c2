import type { Agent } from '../src/config/config.ts'
import { deploy } from '../src/deploy.ts'
import { DeployError, explain, fail, Postponed } from '../src/errors.ts'
import { code, inert, table } from '../src/markdown.ts'
import { renderStatus, renderSummary } from '../src/report.ts'
import { status } from '../src/status.ts'
import type { Asked } from './asked.ts'
import { chooseAgents } from './candidates.ts'
import { commandLifeMs, tellOnly, type ParsedCommand } from './command.ts'
import type { Section } from './engine/comments.ts'
import type { WantedOperation } from './engine/operations.ts'
import { noJournal, withIo } from './io.ts'
import { authorize } from './permission.ts'
import { wantedBy } from './wanted.ts'

export interface Decided {
  readonly section: Section
  readonly wanted: readonly WantedOperation[]
}

/** Answers a command, or says what is to be done. A refusal is an answer; throws only `Postponed`. */
export async function decide(command: ParsedCommand, at: { index: number; asked: Asked }): Promise<Decided> {
  const { asked } = at
  try {
    if (command.kind === 'typo') return refused(command.line, typo(command))
    if (command.name === 'help') return answered(command.line, help)
    const age = asked.app.clock.now() - asked.facts.writtenAt
    if (age > commandLifeMs && !tellOnly.includes(command.name)) return refused(command.line, tooLate(age))
    const agents = await agentsOf(command, asked)
    if (command.name === 'status') return answered(command.line, await showStatus(agents, asked))
    if (command.name === 'plan') return answered(command.line, await showPlan(agents, asked))
    const wanted = await wantedBy({ ...command, name: command.name }, { ...at, agents })
    return { section: { command: command.line, operations: wanted.map(({ id }) => id) }, wanted }
  } catch (error) {
    if (error instanceof Postponed) throw error
    if (!(error instanceof DeployError)) {
      const stack = error instanceof Error ? (error.stack ?? '') : String(error)
      asked.app.log.error('unexpected', { delivery: asked.facts.delivery, stack })
    }
    return refused(command.line, asked.app.redact(explainRefusal(error)))
  }
}

function explainRefusal(error: unknown): string {
  const { decision, code: reason, message, help: remedy } = explain(error)
  const lines = message.split('\n').map(inert).join('<br>\n')
  return `⛔ ${decision} (${code(reason)}): ${lines}\n\n**What to do:** ${inert(remedy)}`
}

function answered(command: string, text: string): Decided {
  return { section: { command, text, operations: [] }, wanted: [] }
}

function refused(command: string, text: string): Decided {
  return { section: { command, text, refused: true, operations: [] }, wanted: [] }
}

function typo({ word, meant }: Extract<ParsedCommand, { kind: 'typo' }>): string {
  return `There is no command ${code(`/${word}`)}. Did you mean ${code(`/${meant}`)}? ${code('/help')} lists them all.`
}

function tooLate(age: number): string {
  const hours = Math.floor(age / (60 * 60_000))
  return (
    `🕰️ This reached the app only now, ${hours} hour${hours === 1 ? '' : 's'} after it was written. By then things may be different, ` +
    'so it was not carried out. Sorry for that: write it again if it is still wanted.'
  )
}

/** The agents that are meant; the commander may command every one of them, or nothing happens. */
async function agentsOf(command: Extract<ParsedCommand, { kind: 'command' }>, asked: Asked): Promise<readonly Agent[]> {
  const config = await asked.config()
  const needsPull = command.name !== 'status' && (command.words.length === 0 || command.words.includes('all'))
  const touched = needsPull ? await asked.touched() : []
  const agents = chooseAgents(command, { config, touched })
  const commander = await asked.commander()
  for (const agent of agents) await authorize(commander, { agent, command: `/${command.name}`, path: config.path })
  return agents
}

async function showStatus(agents: readonly Agent[], { app, facts, github, config }: Asked): Promise<string> {
  const request = {
    config: await config(),
    agents: agents.map(({ name }) => name),
    connect: (agent: Agent) => app.connect(agent, facts.repository),
  }
  const fields = { delivery: facts.delivery }
  const found = await withIo(app, { repository: facts.repository, github, journal: noJournal(), fields }, (io) =>
    status(request, io),
  )
  return app.redact(renderStatus(found, { webUrl: github.webUrl }))
}

/** What a deploy of the pull request (or, once it is merged, of the branch) would do now. */
async function showPlan(agents: readonly Agent[], asked: Asked): Promise<string> {
  const { app, facts, github, config, id } = asked
  const pull = await asked.pull()
  const ref = pull.isOpen ? pull.headSha : facts.repository.defaultBranch
  const there = await app.configs.demand(github, ref)
  const trusted = await config()
  const meant = agents.map(({ name }) => {
    const agent = there.agents.find((candidate) => candidate.name === name)
    if (!agent) throw fail('agent-unknown', { agent: name, path: there.path, known: there.agents.map((a) => a.name) })
    const { connection, id: agentId } = trusted.agents.find((candidate) => candidate.name === name) ?? agent
    return { ...agent, connection, id: agentId }
  })
  const commit = pull.isOpen ? pull.headSha : (pull.mergeCommit ?? pull.headSha)
  const trigger = { kind: 'comment' as const, actor: facts.author, ref: undefined, url: facts.url, id: `${id}/plan` }
  const fields = { delivery: facts.delivery }
  const outcomes = await withIo(app, { repository: facts.repository, github, journal: noJournal(), fields }, (io) =>
    deploy(
      {
        config: { ...there, agents: meant },
        agents: meant.map(({ name }) => name),
        commit,
        trigger,
        dryRun: true,
        wait: false,
        connect: (agent) => app.connect(agent, facts.repository),
      },
      io,
    ),
  )
  return app.redact(renderSummary(outcomes, { webUrl: github.webUrl }))
}

const help = [
  'A line that starts with one of these is a command; several may stand in one comment.',
  table(
    ['Command', 'What it does'],
    [
      [
        '`/rollback [agent…] [version] [-- reason]`',
        'goes back to the version before, or to the one named, and holds automatic deploys',
      ],
      ['`/deploy [agent…]`', 'deploys the head of this pull request, or of the branch once it is merged; lifts a hold'],
      ['`/plan [agent…]`', 'says what a deploy would do'],
      ['`/status [agent…]`', 'says what is live, since when, and what can be gone back to'],
      ['`/hold [agent…] [-- reason]`', 'stops automatic deploys'],
      ['`/resume [agent…]`', 'lets them go on'],
      ['`/cancel [agent…]`', 'gives up deploys that wait'],
      ['`/help`', 'shows this'],
    ],
  ),
  'Without a name, the agent that the pull request touches is meant. `all` means every one that it touches.',
].join('\n\n')
