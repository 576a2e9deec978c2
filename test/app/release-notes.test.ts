import { afterEach, beforeEach, expect, it } from 'vitest'
import { permissions } from '../../app/manifest.ts'
import { config, createPlace, type Place, settled, startTestApp, type TestApp } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform

beforeEach(async () => {
  place = await createPlace({
    '.github/agents.yml': config.replace('path: agents/support', 'path: agents/support, release: true'),
  })
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
})
afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const repository = () => place.github.repository('acme/agents')
async function begin(): Promise<void> {
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
}

it('an agent with `release: true` is deployed without the permission too, and its check says what is lacking', async () => {
  await begin()
  const [check] = repository().checkRuns

  expect(memory.effects).toEqual(['deploy 1.0.1'])
  expect(check).toMatchObject({ conclusion: 'success' })
  expect(check?.output.summary).toContain('support-bot-v1.0.1')
  expect(check?.output.summary).toContain('the permission \\`contents: write\\`')
  expect(repository().releases).toEqual([])
})

it('with it, the tag and the release are written', async () => {
  place.github.grant(place.app.installations[0]?.id ?? 0, { ...permissions, contents: 'write' })
  await begin()

  expect(repository().releases).toMatchObject([{ tag: 'support-bot-v1.0.1', prerelease: false }])
  expect(await gitRemote(place.work, 'ls-remote', '--tags', 'origin')).toContain(place.first)
  expect(repository().checkRuns[0]?.output.summary).not.toContain('contents: write')
})
