import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPlace, type Place, settled } from '../support/app.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

let place: Place
let app: TestDashboard
let memory: MemoryPlatform
let agent: string

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startDashboard(place, { signIn: true, memory })
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
  await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
  await settled(app, place.github)
  agent = `/agents/${place.github.repository('acme/agents').id}/support-bot`
})

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
  expect(app.log.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

/** The confirmation as the person sees it, and its hidden fields. */
async function confirmation(action: string, cookie: string) {
  const page = await app.get(`${agent}/${action}`, { cookie })
  const text = await page.text()
  const field = (name: string) => new RegExp(`name="${name}"\\s+value="([^"]*)"`).exec(text)?.[1] ?? ''
  return { status: page.status, text, fields: { csrf: field('csrf'), ticket: field('ticket') } }
}

function press(action: string, given: { cookie: string; fields: Readonly<Record<string, string>>; origin?: string }) {
  const { cookie, fields, origin = app.url } = given
  return fetch(app.url + agent + `/${action}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin },
    body: new URLSearchParams(fields),
  })
}

describe('rolling back from the page', () => {
  it('asks first, goes back, holds, and is recorded with the person’s name and reason', async () => {
    const cookie = await app.signInAs('ada')
    const { text, fields } = await confirmation('rollback', cookie)
    const pressed = await press('rollback', { cookie, fields: { ...fields, reason: 'it answers nonsense' } })
    await settled(app, place.github)
    const record = place.github.repository('acme/agents').deployments.at(-1)
    const operation = await (await app.get(pressed.headers.get('location') ?? '', { cookie })).text()

    expect(text).toMatch(/Live now:\s+<b>1\.0\.2<\/b>/)
    expect(text).toMatch(/value="1\.0\.1"/)
    expect(pressed.status).toBe(303)
    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'rollback 1.0.1'])
    expect(record?.payload).toMatchObject({
      agent_deploy: { actor: 'ada', reason: 'it answers nonsense', trigger: 'manual' },
    })
    expect(record?.statuses.at(-1)?.logUrl).toBe(app.url + (pressed.headers.get('location') ?? ''))
    expect(operation).toContain('1.0.1 is live again.')
    expect(await (await app.get('/', { cookie })).text()).toContain('on hold')
  })

  it('goes to the version that was chosen, and to none that was never live', async () => {
    const cookie = await app.signInAs('ada')
    await place.push({ tree: { 'agents/support/main.py': 'version = 3\n' }, message: 'fix: three' })
    await settled(app, place.github)
    const { fields } = await confirmation('rollback', cookie)
    const unknown = await press('rollback', { cookie, fields: { ...fields, version: '9.9.9' } })
    const known = await press('rollback', { cookie, fields: { ...fields, version: '1.0.1' } })
    await settled(app, place.github)

    expect([unknown.status, known.status]).toEqual([403, 303])
    expect(memory.live).toBe('1.0.1')
  })

  it('pressed twice, is done once', async () => {
    const cookie = await app.signInAs('ada')
    const { fields } = await confirmation('rollback', cookie)
    await Promise.all([press('rollback', { cookie, fields }), press('rollback', { cookie, fields })])
    await settled(app, place.github)

    expect(memory.effects.filter((effect) => effect.startsWith('rollback'))).toEqual(['rollback 1.0.1'])
  })

  // what is wrong with the form
  it.each([
    ['no token', {}, { csrf: '' }],
    ['somebody else’s token', {}, { csrf: 'x'.repeat(43) }],
    ['a page elsewhere', { origin: 'https://evil.example' }, {}],
    ['a ticket that is none', {}, { ticket: '../x' }],
  ])('is refused to %s', async (_what, from, wrong) => {
    const cookie = await app.signInAs('ada')
    const { fields } = await confirmation('rollback', cookie)
    const pressed = await press('rollback', { cookie, fields: { ...fields, ...wrong }, ...from })
    await settled(app, place.github)

    expect(pressed.status).toBe(403)
    expect(memory.live).toBe('1.0.2')
  })

  it('with the token of another session is refused', async () => {
    const [ada, other] = [await app.signInAs('ada'), await app.signInAs('ada')]
    const { fields } = await confirmation('rollback', other)

    expect((await press('rollback', { cookie: ada, fields })).status).toBe(403)
  })

  it('needs the permission that a comment needs: who may only read is told why, and who may', async () => {
    const eve = await app.signInAs('eve')
    const { status, text } = await confirmation('rollback', eve)
    const { fields } = await confirmation('rollback', await app.signInAs('ada'))
    const pressed = await press('rollback', { cookie: eve, fields })
    await settled(app, place.github)

    expect([status, pressed.status]).toEqual([403, 403])
    expect(text).toMatch(
      /@eve has the permission &quot;read&quot; here; &quot;\/rollback&quot; needs one of &quot;write&quot;/,
    )
    expect(memory.live).toBe('1.0.2')
  })

  it('is taken away as soon as the permission is', async () => {
    const cookie = await app.signInAs('ada')
    const { fields } = await confirmation('rollback', cookie)
    place.github.setPermission('acme/agents', 'ada', 'read')

    expect((await press('rollback', { cookie, fields })).status).toBe(403)
  })
})

describe('holding and resuming from the page', () => {
  it('stops automatic deploys, and lets them go on', async () => {
    const cookie = await app.signInAs('ada')
    const hold = await confirmation('hold', cookie)
    await press('hold', { cookie, fields: { ...hold.fields, reason: 'the demo is today' } })
    await settled(app, place.github)
    const held = await (await app.get(agent, { cookie })).text()
    await place.push({ tree: { 'agents/support/main.py': 'version = 3\n' }, message: 'fix: three' })
    await settled(app, place.github)
    const whileHeld = memory.live
    const still = await (await app.get(agent, { cookie })).text()
    const resume = await confirmation('resume', cookie)
    await press('resume', { cookie, fields: resume.fields })
    await settled(app, place.github)
    const resumed = await (await app.get(agent, { cookie })).text()
    await place.push({ tree: { 'agents/support/main.py': 'version = 4\n' }, message: 'fix: four' })
    await settled(app, place.github)

    expect(held).toMatch(/on hold.*by @ada/s)
    expect(still).toMatch(/by @ada.*the demo is today/s)
    expect(whileHeld).toBe('1.0.2')
    expect(still).toContain('Resume deploys…')
    expect(resumed).toContain('Hold deploys…')
    expect(memory.live).toBe('1.0.3')
  })
})
