import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Inputs, secretInputs } from '../src/action/inputs.ts'
import { commands, exitCodeOf, helpText, options, readArguments } from '../src/cli/arguments.ts'
import { parseRemote } from '../src/cli/context.ts'
import { writeTree } from './support/repository.ts'
import { digestOf, node24, root } from './support/runner.ts'
import { agentId, agentTree, repositoryName, startWorld, supportConfig, type World, writesIn } from './support/world.ts'

describe('a command line', () => {
  it('has an option for every input but the credentials', () => {
    const inputs = Object.keys(Inputs.shape).filter((name) => ![...secretInputs, 'command'].includes(name))

    expect(Object.keys(options)).toEqual(inputs)
    for (const name of inputs) expect(helpText()).toContain(`--${name} `)
  })

  it.each([
    [['deploy', 'a', 'b'], { command: 'deploy', agent: 'a\nb' }],
    [['plan', '--agent', 'a', 'b', '--timeout=5m'], { command: 'plan', agent: 'a\nb', timeout: '5m' }],
    [['plan', '--exclude', '*.md', '--exclude', '*.txt'], { command: 'plan', exclude: '*.md\n*.txt' }],
    [['rollback', 'a', '--target-version', '1.0.0'], { command: 'rollback', agent: 'a', 'target-version': '1.0.0' }],
  ])('%j is read', (words, inputs) => {
    expect(readArguments(words).inputs).toEqual(inputs)
  })

  it.each([[['--token', 'x']], [['deploy', '--what']], [['deploy', '--timeout']]])('%j is refused', (words) => {
    expect(() => readArguments(words)).toThrow(expect.objectContaining({ code: 'input-invalid' }))
  })

  it.each([
    ['https://github.com/acme/agents.git', 'https://github.com'],
    ['https://x:secret@github.com/acme/agents', 'https://github.com'],
    ['git@github.com:acme/agents.git', 'https://github.com'],
    ['ssh://git@ghe.example.com:2222/acme/agents.git', 'https://ghe.example.com'],
    ['http://127.0.0.1:8080/acme/agents.git', 'http://127.0.0.1:8080'],
  ])('finds the repository in %s', (url, server) => {
    expect(parseRemote(url)).toEqual({ server, owner: 'acme', repo: 'agents' })
  })

  it.each([['/srv/git/agents.git'], ['file:///srv/agents'], [undefined]])('finds none in %s', (url) => {
    expect(parseRemote(url)).toBeUndefined()
  })

  it.each([
    ['deployed', 'released', 0],
    ['skipped', 'unchanged', 0],
    ['held', 'on-hold', 0],
    ['failed', 'build-failed', 1],
    ['refused', 'config-invalid', 2],
    ['unknown', 'timed-out', 3],
    ['failed', 'cancelled', 130],
  ])('ends %s (%s) with %i', (decision, code, expected) => {
    expect(exitCodeOf({ decision, 'reason-code': code })).toBe(expected)
  })
})

describe('the command', () => {
  let world: World
  let workspace: string

  beforeEach(async () => {
    world = await startWorld()
    await world.push({
      tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello') },
      message: 'feat: begin',
    })
    workspace = await world.checkout()
  })
  afterEach(async () => {
    expect(world.github.violations).toEqual([])
    expect(world.nasiko.violations).toEqual([])
    await world.close()
  })

  function start(
    args: readonly string[],
    given: { cwd?: string; env?: Record<string, string>; through?: readonly string[] } = {},
  ) {
    const [file = '', ...words] = given.through ?? [node24, join(root, 'dist/cli.cjs'), ...args]
    const child = spawn(file, words, {
      cwd: given.cwd ?? workspace,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: world.folder,
        USER: 'ada',
        TMPDIR: world.folder,
        GITHUB_TOKEN: world.token,
        NASIKO_TOKEN: world.credential,
        NASIKO_BASE_URL: world.nasiko.url,
        ...given.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => void (said.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => void (said.stderr += chunk.toString()))
    const done = new Promise<typeof said & { code: number | null }>((settle) => {
      child.on('close', (code) => {
        for (const secret of [world.token, world.credential]) expect(said.stdout + said.stderr).not.toContain(secret)
        settle({ ...said, code })
      })
    })
    return { child, done, said }
  }
  const run = (...args: string[]) => start(args).done

  it('plans, deploys, shows and rolls back as a step does', async () => {
    const planned = await run('plan')
    expect(planned, planned.stderr).toMatchObject({ code: 0 })
    expect(planned.stdout).toContain('Would deploy 1.0.0 → 1.0.1')
    expect(writesIn(world.nasiko.requests)).toEqual([])

    const deployed = await run('deploy', 'support-bot')
    expect(deployed, deployed.stderr).toMatchObject({ code: 0 })
    expect(deployed.stdout).toMatch(/support-bot {2}deployed \(released, /)
    expect(deployed.stdout).toContain(world.nasiko.agentUrl(agentId))

    await world.push({ tree: agentTree('agents/support', 'hello 2'), message: 'feat: two' })
    workspace = await world.checkout()
    const again = await run('deploy', '--json')
    expect(again, again.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(again.stdout)).toMatchObject({
      version: 1,
      command: 'deploy',
      decision: 'deployed',
      outcomes: [{ agent: 'support-bot', releaseVersion: '1.1.0', version: { commits: [{ subject: 'feat: two' }] } }],
    })

    const shown = await run('status')
    expect(shown.stdout).toContain('1.1.0 is active')

    const back = await run('rollback', 'support-bot', '--reason', 'too chatty')
    expect(back, back.stderr).toMatchObject({ code: 0 })
    expect(back.stdout).toContain('1.0.1 is live again')
    const { deployments } = world.github.repository(repositoryName)
    expect(deployments.map(({ task, payload }) => [task, actorOf(payload)])).toEqual([
      ['deploy', 'ada'],
      ['deploy', 'ada'],
      ['rollback', 'ada'],
    ])
  })

  it('works from a folder below the root, without GitHub, and says what that costs', async () => {
    const { done } = start(['deploy'], { cwd: join(workspace, 'agents'), env: { GITHUB_TOKEN: '' } })
    const result = await done

    expect(result, result.stderr).toMatchObject({ code: 0 })
    expect(result.stdout).toContain('No GitHub token')
    expect(world.nasiko.agent(agentId).serving).toBe('1.0.1')
  })

  it('shows what would ship and why, and keeps it where it is told to', async () => {
    const listed = await run('bundle', '--list', '--output', 'out')
    const json = await run('bundle', '--json')

    const { agents } = JSON.parse(json.stdout) as { agents: { digest: string; files: { path: string }[] }[] }
    expect(listed, listed.stderr).toMatchObject({ code: 0 })
    expect(listed.stdout).toContain('4 files ship, 0 left out')
    expect(listed.stdout).toMatch(/\+ Dockerfile \d+ B \(tracked\)/)
    const [, path = ''] = /^ {2}(\/.*\.zip)$/m.exec(listed.stdout) ?? []
    expect(digestOf(readFileSync(path))).toBe(agents[0]?.digest)
    expect(agents[0]?.files.map((file) => file.path)).toContain('server.mjs')
    expect(world.nasiko.requests).toEqual([])
  })

  it('names every problem of a config file with its place, and ends with 2', async () => {
    writeTree(workspace, { '.github/agents.yml': supportConfig.replace('path:', 'pth:').replace('nasiko', 'mars') })

    const result = await run('validate')

    expect(result.code).toBe(2)
    expect(result.stderr).toContain('.github/agents.yml:4:15 "mars" is not a platform')
    expect(result.stderr).toContain('.github/agents.yml:6:5 "agents.support-bot.pth" is not a known key')
  })

  it.each(Object.keys(commands))('says by `%s --help` what it takes, and nothing of others', async (command) => {
    const result = await run(command, '--help')

    expect(result).toMatchObject({ code: 0, stderr: '' })
    expect(result.stdout).toContain(`agent-deploy ${command} [agent…] [options]`)
    expect(result.stdout).toContain('Exit codes')
    expect(result.stdout.includes('--target-version')).toBe(command === 'rollback')
    expect(result.stdout.includes('--list')).toBe(command === 'bundle')
  })

  it.each([
    ['an unknown command', ['explode'], 2, '"explode"'],
    ['an unknown option', ['deploy', '--force'], 2, '--force'],
    ['an unknown agent', ['deploy', 'nobody'], 2, '"nobody"'],
    ['a version that is not there', ['rollback', '--target-version', '9.9.9'], 2, '"9.9.9"'],
  ])('refuses %s', async (_, args, code, words) => {
    const result = await run(...args)

    expect(result.code, result.stderr).toBe(code)
    expect(result.stderr + result.stdout).toContain(words)
    expect(writesIn(world.nasiko.requests)).toEqual([])
  })

  it.each([
    ['done', 0, ['deploy'], {}],
    ['failed', 1, ['deploy'], { NASIKO_TOKEN: 'another-token-0123456789' }],
    ['refused', 2, ['deploy', '--version', '0.1.0'], {}],
    ['unknown', 3, ['deploy', '--timeout', '10ms'], {}],
  ])('ends as the help says: %s with %i', async (_, code, args, env) => {
    const result = await start(args, { env }).done

    expect(result.code, result.stderr + result.stdout).toBe(code)
  })

  it.each([
    ['a terminal', {}, true],
    ['a terminal whose user wants none', { NO_COLOR: '1' }, false],
  ])('uses colours as fits %s', async (_, env, expected) => {
    const terminal = ['-c', 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)']
    const { done } = start([], {
      env: { TERM: 'xterm-256color', ...env },
      through: ['python3', ...terminal, node24, join(root, 'dist/cli.cjs'), 'plan'],
    })

    const result = await done

    expect(result.code, result.stdout).toBe(0)
    expect(result.stdout.includes('\u001b[')).toBe(expected)
  })

  it('uses colours where they are asked for, and none in a pipe', async () => {
    const plain = await run('plan')
    const { done } = start(['plan'], { env: { FORCE_COLOR: '1' } })
    const coloured = await done

    expect(plain.stdout).not.toContain('\u001b[')
    expect(coloured.stdout).toContain('\u001b[')
  })

  it('leaves a final record and nothing on disk when it is interrupted', async () => {
    await world.close()
    world = await startWorld({ buildMs: 60_000 })
    await world.push({
      tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello') },
      message: 'feat: begin',
    })
    workspace = await world.checkout()
    const { child, done, said } = start(['deploy'])
    while (!said.stderr.includes('is building')) await sleep(20)

    child.kill('SIGINT')
    const result = await done

    expect(result.code, result.stderr).toBe(130)
    const [record] = world.github.repository(repositoryName).deployments
    expect(record?.statuses.map(({ state }) => state)).toEqual(['in_progress', 'error'])
    expect(readdirSync(world.folder).filter((name) => name.startsWith('agent-deploy-'))).toEqual([])
  })
})

function actorOf(payload: unknown): string {
  return (payload as { agent_deploy: { actor: string } }).agent_deploy.actor
}
