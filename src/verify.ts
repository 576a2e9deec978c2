import type { Agent } from './config/config.ts'
import { fail } from './errors.ts'
import { HttpFailure, send } from './http.ts'
import type { Io } from './io.ts'
import { pollWait } from './retry.ts'
import type { Progress } from './platforms/platform.ts'

/** An agent may say which version it is in this header; then it must be the new one. */
const versionHeader = 'x-agent-version'
/** Good answers in a row: one may come from the old version during a switch. */
const wantedAnswers = 3
const answerTimeoutMs = 10_000

/** Asks the agent itself until it answers as `verify` in the config says. Throws `verify-failed`. */
export async function verify(
  live: Extract<Progress, { state: 'live' }>,
  around: { agent: Agent; io: Io; deadline: number },
): Promise<void> {
  const { agent, io } = around
  if (!agent.verify) return
  const version = live.releaseVersion ?? live.platformVersion
  if (!live.url) {
    throw fail('verify-failed', {
      version,
      url: 'the agent',
      detail: `${agent.platform.title} gives no address to ask`,
    })
  }
  const url = live.url.replace(/\/+$/, '') + agent.verify.path
  const deadline = Math.min(around.deadline, io.clock.now() + agent.verify.timeoutMs)
  let inARow = 0
  for (let asked = 0; inARow < wantedAnswers; asked++) {
    const problem = await ask(url, { expected: agent.verify.status, version, io })
    inARow = problem === undefined ? inARow + 1 : 0
    if (problem === undefined) continue
    await io.journal.checkpoint('verify')
    const wait = pollWait(asked)
    if (io.clock.now() + wait >= deadline) throw fail('verify-failed', { version, url, detail: problem })
    await io.clock.sleep(wait, io.signal)
  }
  io.log.info(`${url} answers ${agent.verify.status}`, { version })
}

/** What is wrong with one answer; undefined when nothing is. */
async function ask(url: string, wanted: { expected: number; version: string; io: Io }): Promise<string | undefined> {
  try {
    const reply = await send({ what: 'verify', method: 'GET', url, timeoutMs: answerTimeoutMs }, wanted.io)
    if (reply.status !== wanted.expected) return `HTTP ${reply.status} instead of ${wanted.expected}`
    const serving = reply.headers.get(versionHeader)
    if (serving !== null && serving !== wanted.version) return `version ${serving} answers instead of ${wanted.version}`
    return undefined
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    if (error.status === wanted.expected) return undefined
    return error.message
  }
}
