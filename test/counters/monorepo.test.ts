import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type SandboxNanonets, startNanonets } from '../../app/sandbox/nanonets/server.ts'
import { startWorld, type World } from '../support/world.ts'
import { aboveCeiling } from './ceilings.ts'

const names = Array.from({ length: 8 }, (_, at) => `agent-${at}`)

let world: World
let platform: SandboxNanonets
let env: Record<string, string>

beforeAll(async () => {
  world = await startWorld()
  platform = await startNanonets()
  const key = platform.addWorkspace()
  env = { NANONETS_BASE_URL: platform.url, NANONETS_API_KEY: key }
  const agents = names.map((name) => {
    const id = platform.addAgent({ key, name, config: { model: 'm1' } }).group
    return `  ${name}: { platform: nanonets, id: ${id}, path: agents/${name} }\n`
  })
  const tree = { '.github/agents.yml': `version: 1\nagents:\n${agents.join('')}`, ...documents(names, 'begin') }
  await world.push({ tree, message: 'feat: begin' })
  const first = await step('deploy')
  expect(first.exitCode, first.stdout).toBe(0)
}, 120_000)
afterAll(async () => {
  await platform.close()
  await world.close()
})

const documents = (of: readonly string[], prompt: string) =>
  Object.fromEntries(of.map((name) => [`agents/${name}/agent.yml`, `system_prompt: ${prompt}\n`]))

const step = (command: 'deploy' | 'plan', more: Readonly<Record<string, string>> = {}, agent = '') =>
  world.run({ inputs: { command, agent, token: '' }, env: { ...env, ...more } })

/** Every git command of a run, as git itself writes them down. */
async function gitCommands(run: (trace: Record<string, string>) => Promise<{ stdout: string }>): Promise<string[]> {
  const file = join(world.folder, `trace-${Math.random()}`)
  const { stdout } = await run({ GIT_TRACE2_EVENT: file })
  if (!existsSync(file)) throw new Error(`no git was run:\n${stdout}`)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"event":"cmd_name"'))
    .map((line) => (JSON.parse(line) as { name: string }).name)
}

it('reads the history of a repository once for all its agents, whatever commit each of them is at', async () => {
  for (const name of names.slice(0, 4)) {
    await world.push({ tree: documents([name], 'more'), message: `feat: ${name}` })
    const { exitCode, stdout } = await step('deploy', {}, name)
    expect(exitCode, stdout).toBe(0)
  }
  await world.push({ tree: documents(names, 'all'), message: 'feat: all' })
  const commands = await gitCommands((trace) => step('plan', trace))
  const count = (name: string) => commands.filter((command) => command === name).length

  expect(
    aboveCeiling({
      'git log, plan of 8 agents': count('log'),
      'git processes for each agent planned': Math.ceil((commands.length - 10) / names.length),
    }),
  ).toEqual([])
  expect(count('log')).toBeGreaterThan(0)
})
