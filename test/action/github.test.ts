import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../app/sandbox/faults.ts'
import { connectGitHub } from '../../src/action/github.ts'
import { arrayLog, movedClock } from '../support/io.ts'
import { agentTree, repositoryName, startWorld, type World } from '../support/world.ts'

let world: World
let head: string

beforeEach(async () => {
  world = await startWorld()
  head = await world.push({ tree: agentTree('agents/support', 'x'), message: 'feat: begin' })
})
afterEach(() => world.close())

function connect(signal = new AbortController().signal) {
  const clock = movedClock(Date.now())
  const { apiUrl, url } = world.github
  const [owner = '', repo = ''] = repositoryName.split('/')
  const redact = (text: string) => text
  return {
    clock,
    github: connectGitHub({
      token: world.token,
      apiUrl,
      owner,
      repo,
      webUrl: url,
      clock,
      log: arrayLog(),
      signal,
      redact,
    }),
  }
}

const list = 'GET /repos/{owner}/{repo}/deployments'
const create = 'POST /repos/{owner}/{repo}/deployments'
const records = () => world.github.repository(repositoryName).deployments.length
const soon = () => String(Math.floor(Date.now() / 1000) + 30)

describe('GitHub, for a step', () => {
  it.each<[string, string, Omit<Fault, 'path'>, number[]]>([
    // what goes wrong · operation · fault · waits, from – to in seconds
    ['a gateway that fails twice', list, { kind: 'status', status: 502, times: 2 }, [0.3, 2]],
    ['a connection that is cut', list, { kind: 'reset-before' }, [0.3, 1]],
    ['a secondary limit', create, { kind: 'status', status: 403, headers: { 'retry-after': '7' } }, [7, 7]],
    ['too many requests', create, { kind: 'status', status: 429, headers: { 'retry-after': '3' } }, [3, 3]],
    [
      'the hour’s limit',
      list,
      { kind: 'status', status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': soon() } },
      [20, 31],
    ],
  ])('waits %s out', async (_, route, fault, [least = 0, most = 0]) => {
    const { clock, github } = connect()
    world.github.fault({ ...fault, path: /deployments$/ })

    await github.request(route, route === create ? { ref: head, auto_merge: false, required_contexts: [] } : {})

    const waited = clock.slept.reduce((sum, ms) => sum + ms, 0) / 1000
    expect(waited).toBeGreaterThanOrEqual(least)
    expect(waited).toBeLessThanOrEqual(most)
    expect(records()).toBe(route === create ? 1 : 0)
  })

  it('does not create a deployment again whose reply was lost', async () => {
    const { clock, github } = connect()
    world.github.fault({ kind: 'reset-after', path: /deployments$/, method: 'POST' })

    const lost = github.request(create, { ref: head, auto_merge: false, required_contexts: [] })

    await expect(lost).rejects.toMatchObject({ status: 500 })
    expect(clock.slept).toEqual([])
    expect(records()).toBe(1)
  })

  it('does not wait where waiting helps nobody', async () => {
    const { clock, github } = connect()

    const refused = github.request('POST /repos/{owner}/{repo}/git/refs', { ref: 'refs/tags/x', sha: head })

    await expect(refused).rejects.toMatchObject({ status: 403 })
    expect(clock.slept).toEqual([])
  })

  it('gives up after some minutes', async () => {
    const { clock, github } = connect()
    world.github.fault({ kind: 'status', status: 503, path: /deployments$/, times: 1000 })

    await expect(github.request(list)).rejects.toMatchObject({ status: 503 })
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(150_000)
  })
})
