import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Checkouts, createCheckouts } from '../../app/checkouts.ts'
import type { Clock, GitHub } from '../../src/io.ts'
import { createPlace, settled, startTestApp, until } from '../support/app.ts'
import { arrayLog } from '../support/io.ts'
import { gitRemote, temporaryFolder, writeTree } from '../support/repository.ts'

const commit = 'a'.repeat(40)
const mb = 1024 ** 2

let folder: { path: string; remove: () => void }
let scratch: string
let clock: ReturnType<typeof heldClock>
let checkouts: Checkouts

beforeEach(() => {
  folder = temporaryFolder()
  scratch = join(folder.path, 'scratch')
  mkdirSync(scratch)
  clock = heldClock()
  checkouts = createCheckouts({ folder: scratch, clock, log: arrayLog() })
})
afterEach(async () => {
  await checkouts.close()
  folder.remove()
})

/** Time stands still; `pass` lets all who sleep wake up. */
function heldClock(): Clock & { pass(): void; readonly sleeping: number } {
  const sleepers = new Set<() => void>()
  return {
    now: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve, reject) => {
        const wake = () => {
          sleepers.delete(wake)
          resolve()
        }
        sleepers.add(wake)
        signal?.addEventListener('abort', () => {
          sleepers.delete(wake)
          reject(signal.reason as Error)
        })
      }),
    pass: () => [...sleepers].forEach((wake) => wake()),
    get sleeping() {
      return sleepers.size
    },
  }
}

/** GitHub, as it gives an archive: each download waits to be let go. */
function gitHub(text: string, bytes = 0) {
  const downloads: { send(): void; fail(): void; readonly wasEnded: boolean }[] = []
  const tree = join(folder.path, `tree-${text}`)
  writeTree(tree, { 'top/agents/bot/main.py': text, 'top/weights.bin': Buffer.alloc(bytes) })
  const archive = execFileSync('tar', ['-czf', '-', '-C', tree, 'top'], { maxBuffer: 64 * mb })
  const github: GitHub = {
    owner: 'acme',
    repo: 'agents',
    webUrl: 'https://github.example/acme/agents',
    request: (route) => Promise.reject(new Error(`${route} is not expected`)),
    async download() {
      let wasEnded = false
      return new ReadableStream({
        start(body) {
          downloads.push({
            send() {
              body.enqueue(archive)
              body.close()
            },
            fail: () => body.error(new Error('cut off')),
            get wasEnded() {
              return wasEnded
            },
          })
        },
        cancel: () => void (wasEnded = true),
      })
    },
  }
  return { github, downloads }
}

const begun = ({ downloads }: ReturnType<typeof gitHub>, count: number) =>
  until(`${count} downloads have begun`, () => downloads.length === count)

function borrow(from: ReturnType<typeof gitHub>, over: { place?: string; signal?: AbortSignal; commit?: string } = {}) {
  const signal = new AbortController().signal
  return checkouts.borrow({ place: '9/7', commit, signal, github: from.github, ...over })
}

const main = ({ root }: { root: string }) => readFileSync(join(root, 'agents/bot/main.py'), 'utf8')
const kept = () => readdirSync(scratch)

describe('the files of a commit', () => {
  it('are downloaded once for all who want them, and stay a while after the last of them has left', async () => {
    const from = gitHub('one')
    const borrowing = [borrow(from), borrow(from), borrow(from)]
    await begun(from, 1)
    from.downloads[0]?.send()
    const [first, second, third] = await Promise.all(borrowing)
    first?.done()
    second?.done()
    second?.done()
    const whileUsed = clock.sleeping
    third?.done()
    const again = await borrow(from)
    const whileUsedAgain = clock.sleeping
    again.done()
    const before = kept().length
    clock.pass()
    await until('they are gone', () => kept().length === 0)

    expect(from.downloads).toHaveLength(1)
    expect(new Set([first, second, third, again].map((one) => one?.root)).size).toBe(1)
    expect(again.files.map(({ path }) => path)).toEqual(['agents/bot/main.py', 'weights.bin'])
    expect([whileUsed, whileUsedAgain, before]).toEqual([0, 0, 1])
  })

  it('are still downloaded for the other when one of two gives up', async () => {
    const from = gitHub('one')
    const impatient = new AbortController()
    const given = borrow(from, { signal: impatient.signal })
    const other = borrow(from)
    await begun(from, 1)
    impatient.abort(new Error('cancelled'))
    await expect(given).rejects.toThrow('cancelled')
    const wasEnded = from.downloads[0]?.wasEnded
    from.downloads[0]?.send()

    expect(main(await other)).toBe('one')
    expect(wasEnded).toBe(false)
    expect(from.downloads).toHaveLength(1)
  })

  it('are no longer downloaded when all have given up, and anew for whoever comes then', async () => {
    const from = gitHub('one')
    const impatient = new AbortController()
    const given = [borrow(from, { signal: impatient.signal }), borrow(from, { signal: impatient.signal })]
    await begun(from, 1)
    impatient.abort(new Error('cancelled'))
    const ends = await Promise.allSettled(given)
    const late = borrow(from)
    await begun(from, 2)
    from.downloads[1]?.send()

    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(main(await late)).toBe('one')
    await until('the first download was ended', () => from.downloads[0]?.wasEnded === true)
    await until('and nothing is left of it', () => kept().length === 1)
  })

  it('that fail for whoever asked are asked for once more by the others, together', async () => {
    const from = gitHub('one')
    const asking = borrow(from)
    await begun(from, 1)
    const others = [borrow(from), borrow(from)]
    from.downloads[0]?.fail()
    await expect(asking).rejects.toThrow('cut off')
    await begun(from, 2)
    from.downloads[1]?.send()

    expect((await Promise.all(others)).map(main)).toEqual(['one', 'one'])
    expect(from.downloads).toHaveLength(2)
  })

  it('are not asked for again and again where it fails every time', async () => {
    const from = gitHub('one')
    const all = Promise.allSettled([borrow(from), borrow(from), borrow(from)])
    await begun(from, 1)
    from.downloads[0]?.fail()
    await begun(from, 2)
    from.downloads[1]?.fail()

    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(from.downloads).toHaveLength(2)
    await until('nothing is left', () => kept().length === 0)
  })

  it('of another repository, or for another installation, are others, whatever the name of the commit', async () => {
    const [one, fork, transferred] = [gitHub('one'), gitHub('fork'), gitHub('transferred')]
    const borrowing = [borrow(one), borrow(fork, { place: '9/8' }), borrow(transferred, { place: '10/7' })]
    for (const from of [one, fork, transferred]) await begun(from, 1)
    for (const { downloads } of [one, fork, transferred]) downloads[0]?.send()

    expect((await Promise.all(borrowing)).map(main)).toEqual(['one', 'fork', 'transferred'])
  })

  it.each([
    ['many', { mostMs: 1, most: 2, mostBytes: 100 * mb }],
    ['large', { mostMs: 1, most: 9, mostBytes: 2.5 * mb }],
  ])('make room for each other when they are too %s, the longest unused first; never those in use', async (_, idle) => {
    checkouts = createCheckouts({ folder: scratch, clock, log: arrayLog() }, idle)
    const used = []
    for (const name of ['1', '2', '3', '4']) {
      const from = gitHub(name, mb)
      const borrowing = borrow(from, { commit: name.repeat(40) })
      await begun(from, 1)
      from.downloads[0]?.send()
      used.push(await borrowing)
    }
    const [first, second, third, fourth] = used
    for (const one of [second, third, fourth]) one?.done()
    await until('there is room', () => kept().length === 3)

    expect(used.map(({ root }) => existsSync(root))).toEqual([true, false, true, true])
    expect(first && main(first)).toBe('1')
  })

  it('are removed when the app stops; those in use when their user has ended', async () => {
    const [one, two] = [gitHub('one'), gitHub('two')]
    const borrowing = [borrow(one), borrow(two, { place: '9/8' })]
    for (const from of [one, two]) await begun(from, 1)
    for (const { downloads } of [one, two]) downloads[0]?.send()
    const [first, second] = await Promise.all(borrowing)
    first?.done()
    await checkouts.close()
    const whileUsed = kept().length
    second?.done()
    await until('nothing is left', () => kept().length === 0)

    expect(whileUsed).toBe(1)
    expect(clock.sleeping).toBe(0)
  })
})

it('an app removes what a killed one has left of commits, and after its stop nothing is there', async () => {
  const place = await createPlace()
  const scratchOf = join(place.dataDir, 'scratch')
  // No process has this number.
  const left = join(scratchOf, '4194305/commit-1/tree')
  mkdirSync(left, { recursive: true })
  const app = await startTestApp(place)
  const afterStart = existsSync(left)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
  const deployed = [...app.memory.effects]
  await app.stop()
  const folders = readdirSync(join(scratchOf, String(process.pid)))
  await place.close()

  expect(afterStart).toBe(false)
  expect(deployed).toEqual(['deploy 1.0.1'])
  expect(folders).toEqual([])
})
