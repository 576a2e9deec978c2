import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseConfig } from '../../src/config/parse.ts'
import { nasiko as platform } from '../../src/platforms/nasiko/nasiko.ts'
import { freshBuild, highestOf, judgeBuild } from '../../src/platforms/nasiko/second-progress.ts'
import { inspectSecondZip } from '../../src/platforms/nasiko/zip-rules.ts'
import type { ShippedFile } from '../../src/platforms/bundle-rules.ts'
import type { Platform, Ticket } from '../../src/platforms/platform.ts'
import { hastenedClock } from '../support/io.ts'
import { crashing, imageFiles, standOn } from '../support/nasiko-second.ts'
import { commitTree } from '../support/repository.ts'
import { startStory } from '../support/story.ts'

// Processes are started: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 30_000 })

type Stand = Awaited<ReturnType<typeof standOn>>
const sent = ({ nasiko }: Stand, method: string) =>
  nasiko.requests.filter((request) => request.method === method).length

describe('a change', () => {
  it('has the version that was sent, the history gets its line, and it answers', async () => {
    const stand = await standOn()

    const progress = await stand.ship('1.4.0')

    const url = stand.nasiko.agentUrl(stand.id)
    expect(progress).toEqual({ state: 'live', platformVersion: '1.4.0', releaseVersion: '1.4.0', url })
    expect(await (await fetch(url)).text()).toBe('1.4.0')
    expect(stand.nasiko.agent(stand.id).changelogOf('1.4.0')).toBe('commit of 1.4.0')
    expect(stand.nasiko.violations).toEqual([])
  })

  it('is counted on from the highest number, which a rollback does not free', async () => {
    const stand = await standOn()
    await stand.ship('1.1.0')
    await stand.ship('1.4.0')
    await stand.goBack('1.1.0')

    const live = await stand.client.find()

    expect(live).toMatchObject({ platformVersion: '1.1.0', releaseVersion: '1.1.0', highestVersion: '1.4.0' })
    await expect(stand.client.submit(stand.changeOf('1.4.0'), live)).rejects.toMatchObject({
      code: 'platform-rejected',
      message: expect.stringContaining('version 1.4.0 already exists'),
    })
  })

  it('is not sent where its version is more than three numbers', async () => {
    const stand = await standOn()

    const sending = stand.client.submit(stand.changeOf('1.4.0-rc.1'), await stand.client.find())

    await expect(sending).rejects.toMatchObject({ code: 'version-invalid' })
    expect(sent(stand, 'PUT')).toBe(0)
  })

  it('of an agent without a history counts on from its version, where that is one', async () => {
    const cloned = await standOn({}, { version: 'latest' })

    const live = await cloned.client.find()

    expect(live).toMatchObject({ platformVersion: 'latest', versions: [] })
    expect(live).not.toHaveProperty('releaseVersion')
    expect(await cloned.ship('1.0.0')).toMatchObject({ state: 'live', platformVersion: '1.0.0' })
  })

  it('without a file is made of what Nasiko clones', async () => {
    const stand = await standOn()
    const repository = join(stand.folder, 'repository')
    mkdirSync(repository)
    commitTree(repository, imageFiles('from git'))
    const github = { cloneUrl: `file://${repository}` }
    const id = await stand.nasiko.addAgent({ owner: 'ada', name: 'cloned', github })
    const client = stand.connect(undefined, id)
    const { bundle: _, ...change } = stand.changeOf('1.1.0')

    const ticket = await client.submit(change, await client.find())
    await stand.nasiko.agent(id).settled

    expect(await client.check(ticket)).toMatchObject({ state: 'live' })
    expect(await (await fetch(stand.nasiko.agentUrl(id))).text()).toBe('from git')
  })

  // Columns: what is wrong with the agent, what Nasiko makes of a crash, a word of the reason, what is live then.
  it.each([
    ['has no Dockerfile', { 'a.txt': '' }, 'build', 'build or the start failed', '1.0.0'],
    ['does not start', crashing, 'build', 'no model configured', '1.0.0'],
    ['crashes after its build', crashing, 'deployment', 'no model configured', '1.1.0'],
  ] as const)('of an agent that %s has failed, with the reason', async (_, files, crashes, reason, live) => {
    const stand = await standOn({ crashes })

    const progress = await stand.ship('1.1.0', { ...files })

    expect(progress).toEqual({ state: 'failed', reason: expect.stringContaining(reason) })
    expect(await stand.client.find()).toMatchObject({ platformVersion: live })
  })

  it('that failed leaves its number, and is not taken for the next one of it', async () => {
    const stand = await standOn()
    await stand.ship('1.1.0', { 'a.txt': '' })
    const before = await stand.client.find()

    const landed = await stand.client.landed?.(stand.changeOf('1.1.0'), before)

    expect(landed).toBeUndefined()
    expect(before).not.toHaveProperty('highestVersion', '1.1.0')
    expect(await stand.ship('1.1.0')).toMatchObject({ state: 'live', platformVersion: '1.1.0' })
  })

  it('has no address where Nasiko gives none', async () => {
    const stand = await standOn({ serviceUrl: false })

    expect(await stand.ship('1.1.0')).not.toHaveProperty('url')
  })
})

describe('a rollback', () => {
  it('to the version before it starts that again', async () => {
    const stand = await standOn()
    await stand.ship('1.1.0')
    await stand.ship('1.2.0')

    expect(await stand.goBack('1.1.0')).toMatchObject({ state: 'live', platformVersion: '1.1.0' })
    expect(stand.nasiko.agent(stand.id)).toMatchObject({ serving: '1.1.0', rollbacks: 1 })
  })

  it('that Nasiko would not do is refused before, with what it would do', async () => {
    const stand = await standOn()
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) await stand.ship(version)
    await stand.goBack('1.1.0')
    const before = sent(stand, 'POST')

    const forth = stand.goBack('1.3.0')

    await expect(forth).rejects.toMatchObject({
      code: 'version-ineligible',
      help: expect.stringContaining('"1.2.0", "1.0.0"'),
    })
    expect(sent(stand, 'POST')).toBe(before)
  })
})

describe('a whole story', () => {
  const live = (stand: Stand) => stand.nasiko.agent(stand.id).serving

  async function begin(profile: Parameters<typeof standOn>[0] = {}) {
    const stand = await standOn(profile)
    const credentials = { NASIKO_TOKEN: stand.ada.token }
    const story = startStory(platform as Platform, { baseUrl: stand.nasiko.url, credentials })
    onTestFinished(story.remove)
    const entry = { id: stand.id, settings: { generation: 2 } }
    const commit = (message: string, files: Record<string, string>) => story.commit(message, files, entry)
    const io = { clock: hastenedClock() }
    return { stand, story, commit, io }
  }

  it('goes on with a new number after a rollback, and says why the way forth is closed', async () => {
    const { stand, story, commit, io } = await begin()
    const first = commit('feat: one', imageFiles('one'))
    await story.deploy(first, { io })
    const second = commit('feat: two', imageFiles('two'))
    await story.deploy(second, { io })

    const back = await story.rollback(second, undefined, { io })
    const planned = await story.rollback(second, { kind: 'version', version: '1.1.0' }, { io, dryRun: true })
    const asked = sent(stand, 'POST')
    const forth = await story.rollback(second, { kind: 'version', version: '1.1.0' }, { io })
    const again = await story.deploy(second, { io, trigger: { kind: 'comment' } })

    expect(back).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.1' })
    expect(planned).toMatchObject({ decision: 'refused', code: 'version-ineligible' })
    expect(planned.help).toContain('It can go back to "1.0.0"')
    expect(forth).toMatchObject({ decision: 'refused', code: 'version-ineligible' })
    expect(sent(stand, 'POST')).toBe(asked)
    expect(again).toMatchObject({ decision: 'deployed', releaseVersion: '1.2.0', warnings: [] })
    expect(live(stand)).toBe('1.2.0')
  })

  // Columns: what Nasiko makes of a crash, the rollbacks that it takes.
  it.each([
    ['build', 0],
    ['deployment', 1],
  ] as const)('ends with the version before where a new one does not start (%s)', async (crashes, rollbacks) => {
    const { stand, story, commit, io } = await begin({ crashes })
    await story.deploy(commit('feat: one', imageFiles('one')), { io })

    const outcome = await story.deploy(commit('feat: two', crashing), { io })

    expect(outcome).toMatchObject({ decision: 'failed', code: 'build-failed', restoredVersion: '1.0.1' })
    expect(outcome.message).toContain('no model configured')
    expect(stand.nasiko.agent(stand.id)).toMatchObject({ serving: '1.0.1', version: '1.0.1', rollbacks })
  })
})

describe('accounts', () => {
  it('log in once with key and secret, and again when the token is no longer taken', async () => {
    const stand = await standOn()
    const { accessKey, accessSecret } = stand.ada
    const client = stand.connect({ NASIKO_ACCESS_KEY: accessKey, NASIKO_ACCESS_SECRET: accessSecret })
    await client.find()
    await client.find()
    const once = sent(stand, 'POST')
    stand.nasiko.expireTokens()

    await client.find()

    expect([once, sent(stand, 'POST')]).toEqual([1, 2])
  })

  it.each<[string, (stand: Stand) => Record<string, string>, string, string]>([
    ['a wrong secret', () => ({ NASIKO_ACCESS_KEY: 'k', NASIKO_ACCESS_SECRET: 's' }), 'unauthorized', 'invalid cred'],
    ['a wrong token', () => ({ NASIKO_TOKEN: 'x' }), 'unauthorized', 'invalid token'],
    [
      'a reader',
      ({ nasiko }) => ({ NASIKO_TOKEN: nasiko.addAccount('eve', 'reader').token }),
      'account-not-allowed',
      'list of builds',
    ],
    [
      'somebody else',
      ({ nasiko }) => ({ NASIKO_TOKEN: nasiko.addAccount('bob').token }),
      'account-not-allowed',
      'list of builds',
    ],
  ])('are told apart: %s', async (_, credentialsOf, code, word) => {
    const stand = await standOn()

    const finding = stand.connect(credentialsOf(stand)).find()

    await expect(finding).rejects.toMatchObject({ code, message: expect.stringContaining(word) })
  })

  it('that may not change the agent are refused without a word, and told what they need', async () => {
    const stand = await standOn()
    const bob = stand.connect({ NASIKO_TOKEN: stand.nasiko.addAccount('bob').token })

    const sending = bob.submit(stand.changeOf('1.1.0'), await stand.client.find())

    await expect(sending).rejects.toMatchObject({
      code: 'account-not-allowed',
      message: expect.stringContaining('update'),
      help: expect.stringContaining('deployer'),
    })
  })
})

describe('errors', () => {
  it.each([
    ['that is nowhere', '00000000-0000-4000-8000-000000000000', 'agent-not-found'],
    ['whose id is none', 'agent-1', 'platform-rejected'],
  ])('name an agent %s', async (_, id, code) => {
    const stand = await standOn()

    await expect(stand.connect(undefined, id).find()).rejects.toMatchObject({ code })
  })

  // Columns: the form of errors, the part that Nasiko answers, what is told.
  it.each([
    ['text', undefined, 'version 1.0.0 must be greater than current 1.0.0'],
    ['json', undefined, 'version 1.0.0 must be greater than current 1.0.0'],
    ['text', { status: 409, body: '' }, 'something else is there already'],
    ['text', { status: 413, body: '' }, 'it is too large'],
    ['text', { status: 400, body: '' }, 'it does not say why'],
  ] as const)('as %s %j are told', async (errors, fault, told) => {
    const stand = await standOn({ errors })
    const before = await stand.client.find()
    if (fault) stand.nasiko.fault({ kind: 'status', method: 'PUT', ...fault })

    const sending = stand.client.submit(stand.changeOf('1.0.0'), before)

    await expect(sending).rejects.toMatchObject({ code: 'platform-rejected', message: expect.stringContaining(told) })
  })
})

describe('the settings', () => {
  const configWith = (deploy: string) =>
    parseConfig(`version: 1\nagents: { a: { platform: nasiko, id: x, settings: { generation: 2 }${deploy} } }`, {
      path: 'agents.yml',
      platforms: [platform as Platform],
    })

  it('leave the second generation no strategy', () => {
    expect(() => configWith(', deploy: { strategy: blue-green }')).toThrow(/can't do "blue-green"/)
    expect(configWith('').agents).toHaveLength(1)
  })

  it('know no third generation', () => {
    expect(platform.settings.safeParse({ generation: 3 }).success).toBe(false)
  })
})

describe('inspectSecondZip', () => {
  const file = (path: string, text: string, size = text.length): ShippedFile => ({ path, size, head: async () => text })

  // Columns: the files, a word of the problem.
  it.each<[string, readonly ShippedFile[], readonly string[]]>([
    ['a Dockerfile alone', [file('Dockerfile', 'FROM scratch\n')], []],
    ['none at the root', [file('src/Dockerfile', 'FROM scratch\n')], ['no "Dockerfile" at the root']],
    ['one without FROM', [file('Dockerfile', 'CMD ["x"]\n')], ['no FROM line']],
    [
      'more than unpacks',
      [file('Dockerfile', 'FROM scratch\n'), file('model.bin', '', 201 * 2 ** 20)],
      ['takes 209.7 MB at most'],
    ],
  ])('with %s', async (_, files, words) => {
    expect(await inspectSecondZip(files)).toEqual(words.map((word) => expect.stringContaining(word)))
  })
})

describe('judgeBuild', () => {
  const ticket: Ticket = { operation: 'deploy', platformVersion: '1.1.0', buildId: 'b2' }
  const build = (status: string) => ({ id: 'b2', version_tag: '1.1.0', status })
  const deployment = (status: string, build_id = 'b2') => ({ build_id, status, service_url: null, crash_reason: 'oom' })

  // Columns: the build, the deployment, the verdict.
  it.each([
    ['not to be seen', undefined, undefined, 'working'],
    ['queued', build('queued'), undefined, 'working'],
    ['building', build('building'), deployment('crashed', 'b1'), 'working'],
    ['failed', build('failed'), deployment('running', 'b1'), 'failed'],
    ['built, no deployment to be seen', build('success'), undefined, 'live'],
    ['built, starting', build('success'), deployment('starting'), 'working'],
    ['built, running', build('success'), deployment('running'), 'live'],
    ['built, crashed', build('success'), deployment('crashed'), 'failed'],
    ['built, a later one crashed', build('success'), deployment('crashed', 'b3'), 'live'],
  ])('%s', (_, seen, row, verdict) => {
    expect(judgeBuild(ticket, { build: seen, deployment: row }).state).toBe(verdict)
  })
})

describe('freshBuild', () => {
  const builds = ['3 1.2.0', '2 1.1.0', '1 1.1.0'].map((text) => {
    const [id = '', version_tag = ''] = text.split(' ')
    return { id, version_tag, status: 'failed' }
  })

  // Columns: the version, the newest build before, the id.
  it.each([
    ['1.2.0', '2', '3'],
    ['1.1.0', '2', undefined],
    ['1.1.0', '1', '2'],
    ['1.1.0', undefined, '2'],
    ['1.1.0', 'long ago', '2'],
  ])('of %s since %s is %s', (version, before, id) => {
    expect(freshBuild(builds, { version, before })?.id).toBe(id)
  })
})

it('knows the highest number by its value, whatever the rows and their order', () => {
  const rows = ['1.9.0', '1.10.0', 'latest', '1.2.0'].map((version) => ({
    version,
    status: 'archived',
    created_at: null,
  }))

  expect(highestOf(rows)).toBe('1.10.0')
  expect(highestOf([])).toBeUndefined()
})
