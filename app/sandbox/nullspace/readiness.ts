import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentProcess, isOpen } from '../agent-process.ts'
import type { Config } from './schema.ts'

const pollMs = 20
const answerTimeoutMs = 2000
/** Where the configuration does not say. */
const defaultTimeoutSeconds = 10

/** Waits as `service.readiness` says. What is wrong, in words; undefined when it is ready. */
export async function awaitReady(agent: AgentProcess, config: Config): Promise<string | undefined> {
  const readiness = config.service?.readiness ?? {}
  const type = readiness.type ?? (readiness.path === undefined ? 'tcp' : 'http')
  const timeoutMs = (readiness.timeout_seconds ?? defaultTimeoutSeconds) * 1000
  const dead = agent.ended.then((words) => [`the agent ${words ?? 'ended'}`, agent.output()].filter(Boolean).join(': '))
  if (type === 'timeout') return await Promise.race([dead, sleep(timeoutMs).then(() => undefined)])
  const path = readiness.path ?? '/'
  let gone: string | undefined
  void dead.then((words) => {
    gone = words
  })
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(pollMs)) {
    if (gone !== undefined) return gone
    if (type === 'tcp' ? await isOpen(agent.port) : await answers(agent.port, path)) return undefined
  }
  const what = type === 'tcp' ? 'its port was not open' : `${path} did not answer with 2xx`
  return [`${what} within ${timeoutMs / 1000} s`, agent.output()].filter(Boolean).join(': ')
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs)
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal, redirect: 'manual' })
    await response.body?.cancel()
    return response.ok
  } catch {
    // Nobody listens yet.
    return false
  }
}
