import { afterEach, beforeEach, expect, it } from 'vitest'
import { marker } from '../../app/sticky-comment.ts'
import { createPlace, type Place, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'
import { createTalk, repo, type Talk } from '../support/talk.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform
let talk: Talk

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
  talk = createTalk(place, () => app)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await talk.rest()
})

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const bodies = () => talk.replies().map(({ body }) => body)

it('commands that come later are answered in the same comment, which has the newest first', async () => {
  const number = await talk.mergedPull({ 'agents/support/main.py': 'bad\n' })
  await talk.say(number, '/plan\n/status')
  await talk.say(number, '/rollback -- bad')
  await talk.say(number, '/resume')
  const [body = ''] = bodies()

  expect(bodies()).toHaveLength(1)
  expect(['/resume', '/rollback -- bad', '/plan', '/status'].map((line) => body.indexOf(`\`${line}\``))).toEqual(
    ['/resume', '/rollback -- bad', '/plan', '/status']
      .map((line) => body.indexOf(`\`${line}\``))
      .sort((a, b) => a - b),
  )
  expect(body).toContain('The hold of support-bot is lifted')
  expect(body).toContain('rolled-back')
})

it('each pull request has its own', async () => {
  const one = await talk.openPull({ 'agents/support/main.py': 'one\n' })
  const other = await talk.openPull({ 'agents/support/main.py': 'two\n' })
  await talk.say(one, '/status')
  await talk.say(other, '/status')

  expect(talk.replies().map(({ number }) => number)).toEqual([one, other])
})

it('two people at once have both answers in it', async () => {
  const number = await talk.openPull({ 'agents/support/main.py': 'two\n' })
  place.github.setPermission(repo, 'bob', 'write')
  const ids = ['ada', 'bob', 'eve'].map((author) => place.github.comment({ repo, number, author, body: '/hold' }))
  ids.push(place.github.comment({ repo, number, author: 'bob', body: '/plan' }))
  await talk.rest()
  const [body = ''] = bodies()

  expect(bodies()).toHaveLength(1)
  expect(body.match(/are on hold, until/g)).toHaveLength(2)
  expect(body).toContain('permission-denied')
  expect(body).toContain('1.0.1 → 1.0.2')
  expect(ids.map((id) => talk.reactionsOf(id)?.at(-1))).toEqual(['rocket', 'rocket', 'confused', 'rocket'])
})

it('the text of a person that looks like it is left alone', async () => {
  const number = await talk.openPull({ 'agents/support/main.py': 'two\n' })
  const fake = place.github.comment({ repo, number, author: 'eve', body: `mine\n\n${marker}` })
  await talk.say(number, '/status')

  expect(talk.repository().comments.find(({ id }) => id === fake)?.body).toBe(`mine\n\n${marker}`)
  expect(bodies()).toHaveLength(1)
})

it('is written anew when somebody has deleted it', async () => {
  const number = await talk.openPull({ 'agents/support/main.py': 'two\n' })
  await talk.say(number, '/status')
  const { comments } = talk.repository()
  const at = comments.findIndex(({ author }) => author === 'agent-deploy[bot]')
  comments.splice(at, 1)
  await talk.say(number, '/help')

  expect(bodies()).toHaveLength(1)
  expect(bodies()[0]).toContain('`/status`')
})

it('is found again when the reply to its creation was lost', async () => {
  const number = await talk.openPull({ 'agents/support/main.py': 'two\n' })
  place.github.fault({ method: 'POST', path: /\/issues\/\d+\/comments$/, kind: 'reset-after' })
  await talk.say(number, '/status')
  await talk.say(number, '/help')

  expect(bodies()).toHaveLength(1)
})

it('a command is carried out although its answer may not be written', async () => {
  const number = await talk.mergedPull({ 'agents/support/main.py': 'bad\n' })
  const body = { message: 'Resource not accessible by integration' }
  place.github.fault({
    method: 'POST',
    path: /\/issues\/\d+\/comments$/,
    kind: 'status',
    status: 403,
    body,
    times: 500,
  })
  place.github.comment({ repo, number, author: 'ada', body: '/rollback' })
  await until('it went back', () => memory.effects.at(-1) === 'rollback 1.0.1')

  expect(bodies()).toEqual([])
})
