import { afterEach, expect, it } from 'vitest'
import { git } from '../support/repository.ts'
import { agentId, agentTree, repositoryName, startWorld, supportConfig, type World } from '../support/world.ts'

let world: World
afterEach(async () => {
  expect(world.github.violations).toEqual([])
  await world.close()
})

const permissions = { contents: 'write', deployments: 'write', metadata: 'read' }
const config = `${supportConfig}    release: true\n`
const repository = () => world.github.repository(repositoryName)
const tags = () => git(repository().directory, 'tag', '--list', '--format=%(refname:short) %(objectname)').split('\n')

async function begin(given: Parameters<typeof startWorld>[0] = {}): Promise<string> {
  world = await startWorld(given)
  return await world.push({
    tree: { '.github/agents.yml': config, ...agentTree('agents/support', 'hello') },
    message: 'feat: begin',
  })
}

it('tags what is live and verified, with notes of the commits behind it', async () => {
  const first = await begin({ permissions })
  await world.run({})
  await world.push({ tree: agentTree('agents/support', 'hello 2'), message: 'feat: greet twice' })
  const second = await world.push({ tree: { 'agents/support/a.md': 'x\n' }, message: 'fix: *mind* the @gap' })

  const result = await world.run({})

  expect(result.exitCode, result.stdout).toBe(0)
  expect(tags()).toEqual([`support-bot-v1.0.1 ${first}`, `support-bot-v1.1.0 ${second}`])
  const [, release] = repository().releases
  expect(release).toMatchObject({ tag: 'support-bot-v1.1.0', name: 'support-bot-v1.1.0', prerelease: false })
  expect(release?.body).toContain('### Features\n\n- feat: greet twice (')
  expect(release?.body).toContain('### Fixes and other changes')
  expect(release?.body).toContain('\\*mind\\*')
  expect(release?.body).not.toContain('@gap')
  expect(release?.body).toContain('Replaces 1.0.1.')
  expect(JSON.parse(result.outputs['result'] ?? '')).toMatchObject({ outcomes: [{ tag: 'support-bot-v1.1.0' }] })
})

it('names the permission where the token may not, and the deploy stands', async () => {
  await begin()

  const result = await world.run({})

  expect(result.exitCode, result.stdout).toBe(0)
  expect(result.outputs['decision']).toBe('deployed')
  expect(result.summary).toContain('`contents: write`'.replaceAll('`', '\\`'))
  expect(tags()).toEqual([''])
})

it('never moves a tag', async () => {
  const first = await begin({ permissions })
  git(repository().directory, 'tag', 'support-bot-v1.0.1', first)
  const second = await world.push({ tree: agentTree('agents/support', 'hello 2'), message: 'feat: twice' })

  const result = await world.run({})

  expect(result.exitCode, result.stdout).toBe(0)
  expect(second).not.toBe(first)
  expect(tags()).toEqual([`support-bot-v1.0.1 ${first}`])
  expect(result.summary).toContain('was not moved')
  expect(repository().releases).toEqual([])
})

it('writes nothing for a version that did not get live', async () => {
  await begin({ permissions })
  await world.run({})
  await world.push({ tree: { 'agents/support/server.mjs': 'process.exit(3)\n' }, message: 'fix: break' })

  const result = await world.run({})

  expect(result.outputs['decision']).toBe('failed')
  expect(tags().map((line) => line.split(' ')[0])).toEqual(['support-bot-v1.0.1'])
  expect(world.nasiko.agent(agentId).serving).toBe('1.0.1')
})

it('writes nothing where nobody asked for it', async () => {
  await begin({ permissions })

  const result = await world.run({ inputs: { release: 'false' } })

  expect(result.outputs['decision']).toBe('deployed')
  expect(tags()).toEqual([''])
})
