import { describe, expect, it } from 'vitest'
import { createAnswers } from '../../app/answers.ts'
import type { GitHub } from '../../src/io.ts'
import { movedClock } from '../support/io.ts'

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)]
const compare = 'GET /repos/{owner}/{repo}/compare/{basehead}'
const commitFiles = 'GET /repos/{owner}/{repo}/commits/{ref}'
const contents = 'GET /repos/{owner}/{repo}/contents/{path}'
const head = 'GET /repos/{owner}/{repo}/git/ref/{ref}'
const ledger = 'GET /repos/{owner}/{repo}/deployments'

/** GitHub that counts, and answers with its count. */
function gitHub(answer: (count: number) => unknown = (count) => ({ count, files: [{ filename: 'x', patch: '+1' }] })) {
  const asked: string[] = []
  const github: GitHub = {
    owner: 'acme',
    repo: 'agents',
    webUrl: '',
    async request(route) {
      asked.push(route)
      const headers = { link: '<next>; rel="next"', etag: 'e' }
      return { status: 200, data: answer(asked.length), headers }
    },
    download: () => Promise.reject(new Error('not expected')),
  }
  return { github, asked }
}

describe('answers that the operations of the app have in common', () => {
  it.each([
    ['a comparison of commits', compare, { basehead: `${a}...${b}`, page: 1 }, 1],
    ['the files of a commit', commitFiles, { ref: a, page: 1 }, 1],
    ['a file of a commit', contents, { path: 'x.yml', ref: a }, 1],
    ['a comparison with a branch', compare, { basehead: `${a}...main`, page: 1 }, 2],
    ['what a branch is at', head, { ref: 'heads/main' }, 2],
    ['a file of a branch', contents, { path: 'x.yml', ref: 'main' }, 2],
    ['the ledger', ledger, { environment: 'bot' }, 2],
  ])('%s: asked for twice, one after the other, it is sent %j %j %i times', async (_, route, parameters, times) => {
    const { github, asked } = gitHub()
    const asking = createAnswers({ clock: movedClock() })(github, '9/7')
    const first = await asking.request(route, parameters)
    const second = await asking.request(route, parameters)

    expect(asked).toHaveLength(times)
    expect(first.data).toMatchObject({ count: 1 })
    expect(second.data).toMatchObject({ count: times })
    expect(second.headers['link']).toBe('<next>; rel="next"')
  })

  it.each([
    ['what a branch is at', head, { ref: 'heads/main' }, 2],
    ['a file of a branch', contents, { path: 'x.yml', ref: 'main' }, 2],
    ['a comparison of commits', compare, { basehead: `${a}...${b}` }, 1],
    ['the ledger', ledger, { environment: 'bot' }, 5],
  ])('%s, asked for by five at the same time: %j %j, %i times', async (_, route, parameters, times) => {
    const { github, asked } = gitHub()
    const answers = createAnswers({ clock: movedClock() })
    await Promise.all(Array.from({ length: 5 }, () => answers(github, '9/7').request(route, parameters)))

    expect(asked).toHaveLength(times)
  })

  it.each(['10/7', '9/8'])('are for nobody else: not for %s', async (place) => {
    const [one, other] = [gitHub(), gitHub(() => 'other')]
    const answers = createAnswers({ clock: movedClock() })
    await answers(one.github, '9/7').request(compare, { basehead: `${a}...${b}` })
    const { data } = await answers(other.github, place).request(compare, { basehead: `${a}...${b}` })

    expect(data).toBe('other')
  })

  it('are forgotten after some minutes, and the oldest when there are too many', async () => {
    const clock = movedClock()
    const { github, asked } = gitHub(() => 'x'.repeat(1_500_000))
    const asking = createAnswers({ clock })(github, '9/7')
    const read = (page: number) => asking.request(compare, { basehead: `${a}...${b}`, page })
    for (const page of [1, 2, 3, 2]) await read(page)
    const afterThree = asked.length
    await read(1)
    const pushedOut = asked.length
    await clock.sleep(6 * 60_000)
    await read(1)

    expect([afterThree, pushedOut, asked.length]).toEqual([3, 4, 5])
  })

  it('are not remembered where GitHub gave none, nor is what nobody reads', async () => {
    let isDown = true
    const { github } = gitHub((count) => {
      if (isDown) throw new Error('down')
      return { count, files: [{ filename: 'x', patch: '+1' }] }
    })
    const asking = createAnswers({ clock: movedClock() })(github, '9/7')
    const read = () => asking.request(compare, { basehead: `${a}...${b}` })
    await expect(read()).rejects.toThrow('down')
    isDown = false

    expect((await read()).data).toEqual({ count: 2, files: [{ filename: 'x' }] })
  })

  it('belong to whoever asked: changing them changes nobody else’s', async () => {
    const { github } = gitHub(() => ({ commits: [1] }))
    const asking = createAnswers({ clock: movedClock() })(github, '9/7')
    const read = async () => (await asking.request(compare, { basehead: `${a}...${b}` })).data as { commits: number[] }
    ;(await read()).commits.push(2)

    expect(await read()).toEqual({ commits: [1] })
  })
})
