import { afterAll, describe, expect, it } from 'vitest'
import type { Platform } from '../../src/platforms/platform.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'
import { aboveCeiling } from './ceilings.ts'

/** What an agent has for itself: its ledger and its check run. Everything else is the same for all of a push. */
const own = /^(GET|POST) \/repos\/acme\/agents\/(deployments|check-runs)/
const sizes = [1, 10, 50] as const
const closing: (() => Promise<void>)[] = []

afterAll(async () => {
  for (const close of closing) await close()
})

interface Counted {
  readonly own: number
  readonly common: readonly string[]
  readonly writes: number
  readonly decisions: readonly string[]
}

/** Each agent of the platform has a state of its own. */
function platformOfMany(): Platform {
  const agents = new Map<string, MemoryPlatform>()
  return {
    ...memoryPlatform().platform,
    connect(target, io) {
      const memory = agents.get(target.agentId) ?? memoryPlatform()
      agents.set(target.agentId, memory)
      return memory.platform.connect(target, io)
    },
  }
}

const names = (count: number) => Array.from({ length: count }, (_, at) => `bot-${at}`)
const files = (of: readonly string[], text: string) =>
  Object.fromEntries(of.map((name) => [`agents/${name}/main.py`, `version = ${text}\n`]))

async function openMonorepo(count: number): Promise<{ place: Place; app: TestApp; rest: () => Promise<void> }> {
  const agents = names(count).map((name) => `  ${name}: { id: ${name}, path: agents/${name} }\n`)
  const config = `version: 1\ndefaults: { platform: memory, connection: main }\nagents:\n${agents.join('')}`
  const place = await createPlace({ '.github/agents.yml': config, ...files(names(count), '1') })
  const app = await startTestApp(place, { platforms: [platformOfMany()] })
  closing.push(async () => {
    await app.stop()
    await place.close()
  })
  const rest = () => settled(app, place.github, 60_000)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
  return { place, app, rest }
}

async function countPush(count: number, given: { place: Place; rest: () => Promise<void> }): Promise<Counted> {
  const { place, rest } = given
  const { requests } = place.github
  const before = requests.length
  const sha = await place.push({ tree: files(names(count), 'all'), message: 'fix: all of them' })
  await rest()
  const asked = requests.slice(before).map(({ method, path }) => `${method} ${path}`)
  const { checkRuns } = place.github.repository('acme/agents')
  return {
    own: asked.filter((line) => own.test(line)).length,
    common: asked.filter((line) => !own.test(line)),
    writes: asked.filter((line) => !line.startsWith('GET')).length,
    decisions: checkRuns.filter(({ headSha }) => headSha === sha).map(({ conclusion }) => String(conclusion)),
  }
}

describe('a push to many agents', () => {
  it.each(sizes)(
    'of which there are %d asks GitHub once for what they have in common',
    async (count) => {
      const counted = await countPush(count, await openMonorepo(count))

      expect(counted.decisions).toEqual(Array(count).fill('success'))
      expect(counted.common.filter((line) => !line.includes('/git/ref/')).map(nameOf)).toEqual([
        'contents',
        'tarball',
        'compare',
      ])
      expect(
        aboveCeiling({
          'GitHub calls, what a push has in common': counted.common.length,
          'GitHub calls, each agent of a push': counted.own / count,
          'GitHub writes, push to one agent': counted.writes / count,
          ...(count === 10 && { 'GitHub calls, push to 10 agents': counted.own + counted.common.length }),
        }),
      ).toEqual([])
    },
    120_000,
  )

  it('puts off only the agent whose download failed', async () => {
    const count = 5
    const { place, app, rest } = await openMonorepo(count)
    place.github.fault({ method: 'GET', path: /\/tarball\//, kind: 'status', status: 503 })
    const counted = await countPush(count, { place, rest })

    expect(counted.decisions).toEqual(Array(count).fill('success'))
    expect(counted.common.filter((line) => line.includes('/tarball/'))).toHaveLength(1)
    expect(app.log.lines.filter((line) => line.includes('put off'))).toHaveLength(1)
  }, 120_000)

  it('reads the history few times where each agent was deployed at a commit of its own', async () => {
    const count = 10
    const { place, app, rest } = await openMonorepo(count)
    for (const name of names(count)) {
      await place.push({ tree: files([name], 'own'), message: `feat: ${name}` })
      await rest()
    }
    const counted = await countPush(count, { place, rest })
    const comparisons = counted.common.filter((line) => line.includes('/compare/'))
    const versions = (await app.app.store.agents.all()).map(async ({ key }) => {
      const [newest] = await app.app.store.agents.recent(key, 1)
      const version = newest?.result.outcome?.version
      return `${version?.version}: ${version?.counted} of ${version?.read}`
    })

    expect(counted.decisions).toEqual(Array(count).fill('success'))
    expect(await Promise.all(versions)).toEqual(names(count).map((_, at) => `1.1.1: 1 of ${count - at}`))
    expect(comparisons.length).toBeLessThan(count)
  }, 120_000)
})

/** `GET /repos/acme/agents/compare/…` → `compare` */
function nameOf(line: string): string | undefined {
  return line.split('/')[4]
}
