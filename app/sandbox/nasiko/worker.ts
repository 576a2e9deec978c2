import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readDockerfile } from '../dockerfile.ts'
import type { Built, Host, Hosted, Instance } from './hosting.ts'

/** Builds, starts and switches: what Nasiko's worker does with an accepted update or rollback. */

/** Requests that are under way when traffic is switched may take this long. */
const drainMs = 10_000

export interface Order {
  readonly agent: Hosted
  readonly version: Built
  readonly strategy: 'rolling' | 'blue-green'
  readonly cleanupOld: boolean
  /** What throws here fails the order. */
  readonly begin?: () => void | Promise<void>
  /** Rows and records are told how it went. */
  readonly settle: (failure: string | undefined) => void
}

/** Queues an order behind those of the same agent; resolves when it is done, with what went wrong. */
export function enqueue(world: Host, order: Order): Promise<string | undefined> {
  const done = order.agent.queue.then(async () => {
    const failure = await carryOut(world, order)
    order.settle(failure)
    return failure
  })
  order.agent.queue = done.then(() => undefined)
  return done
}

async function carryOut(world: Host, order: Order): Promise<string | undefined> {
  try {
    await order.begin?.()
    await sleep(world.buildMs, undefined, { signal: world.closing.signal })
    if (order.strategy === 'blue-green') await switchOver(world, order)
    else await replace(world, order)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The new one is started beside the old one, gets the traffic once it listens, and the old one may finish. */
async function switchOver(world: Host, { agent, version, cleanupOld }: Order): Promise<void> {
  const old = agent.live
  const fresh = await startVersion(world, version)
  agent.live = fresh
  agent.route.switchTo(fresh.upstream)
  if (!old) return
  await agent.route.drain(old.upstream, drainMs)
  if (cleanupOld) await old.process.stop()
  else agent.kept.push(old)
}

/** The old one is stopped first; it is started again where the new one does not come up. */
async function replace(world: Host, { agent, version, cleanupOld }: Order): Promise<void> {
  const old = agent.live
  agent.route.switchTo(undefined)
  if (old) {
    await agent.route.drain(old.upstream, drainMs)
    if (cleanupOld) await old.process.stop()
  }
  try {
    agent.live = await startVersion(world, version)
    if (old && !cleanupOld) agent.kept.push(old)
  } catch (error) {
    if (old && cleanupOld) agent.live = await startVersion(world, old.version)
    throw error
  } finally {
    agent.route.switchTo(agent.live?.upstream)
  }
}

async function startVersion(world: Host, version: Built): Promise<Instance> {
  const { folder } = version
  if (folder === undefined) throw new Error(`version ${version.version} has no stored files`)
  const { command, env } = readDockerfile(readFileSync(join(folder, 'Dockerfile'), 'utf8'))
  const process = await world.processes.start({ folder, command, env, startTimeoutMs: world.startTimeoutMs })
  return { version, process, upstream: { port: process.port, version: version.version.replace(/^v/, '') } }
}
