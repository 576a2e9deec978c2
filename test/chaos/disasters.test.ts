import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/app.ts'
import { ensureDebianPackage } from '../support/debian.ts'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/repository.ts'
import { type Arena, openArena } from './arena.ts'

/** Outages of the machine around the app, each once. */

let arena: Arena | undefined
const ends: (() => unknown)[] = []
afterEach(async () => {
  await arena?.close()
  arena = undefined
  for (const end of ends.splice(0).reverse()) await end()
})

async function begin(
  given: Parameters<typeof openArena>[0],
  env: Readonly<Record<string, string>> = {},
): Promise<Arena> {
  const opened = await openArena(given)
  arena = opened
  await opened.start(env)
  await opened.rig.pushFirst()
  expect(await opened.verdict()).toEqual([])
  return opened
}

const lastStatus = ({ rig }: Arena) => rig.place.github.deliveries.at(-1)?.status

describe.skipIf(missingPostgres !== undefined)(`PostgreSQL ${missingPostgres ? `(${missingPostgres})` : ''}`, () => {
  it(
    'gone for ten seconds in the middle of a deploy: nothing is acknowledged falsely, everything ends',
    { timeout: 180_000 },
    async () => {
      const server = await startPostgres()
      ends.push(() => server.close())
      const here = await begin({ databaseUrl: await server.createDatabase('app') })
      let gone: Promise<void> | undefined
      here.door.watch(({ phase, method }) => {
        if (phase === 'before' && method === 'PUT') gone ??= server.stop()
        return 'pass'
      })
      await here.push('interrupted')
      await until('the database is gone', () => gone !== undefined)
      await gone
      await here.push('refused')
      await here.rig.place.github.settle()
      const refused = lastStatus(here)
      await sleep(10_000)
      await server.start()

      expect(refused).toBe(503)
      expect(await here.verdict()).toEqual([])
      expect(here.kills()).toBe(0)
    },
  )

  it('shared by one that is killed again and again: nothing is lost', { timeout: 300_000 }, async () => {
    const server = await startPostgres()
    ends.push(() => server.close())
    const here = await begin({ databaseUrl: await server.createDatabase('app') })
    for (const ms of [40, 250, 600]) {
      await here.push(`killed after ${ms}`)
      await sleep(ms)
      await here.kill()
      expect(await here.verdict()).toEqual([])
    }
  })
})

/** Why no small disk can be made here; a container may not let even root do it. */
function cannotMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make a small one'
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder.path], { stdio: 'pipe' })
    execFileSync('umount', [folder.path])
    return undefined
  } catch {
    return 'this container may not mount'
  } finally {
    folder.remove()
  }
}
const missingDisk = cannotMount()

describe.skipIf(missingDisk !== undefined)(`a disk ${missingDisk ? `(${missingDisk})` : ''}`, () => {
  it('that is full: 503, nothing lost, and all goes on once there is room', { timeout: 120_000 }, async () => {
    const folder = temporaryFolder()
    ends.push(folder.remove)
    // Room for the database and for what was compiled (4 MB).
    const disk = join(folder.path, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk])
    ends.push(() => execFileSync('umount', ['-l', disk]))
    const here = await begin({ dataDir: join(disk, 'data') })
    const filler = join(disk, 'filler')
    fill(disk, filler)
    await here.push('no room')
    await here.rig.place.github.settle()
    const status = lastStatus(here)
    const ready = await here.isReady()
    rmSync(filler)

    expect(status).toBe(503)
    expect(ready).toBe(503)
    expect(await here.verdict()).toEqual([])
    expect(here.kills()).toBe(0)
  })
})

/** To the last page, which somebody else may have taken meanwhile. */
function fill(disk: string, file: string): void {
  const { bavail, bsize } = statfsSync(disk)
  try {
    writeFileSync(file, Buffer.alloc((bavail + 1) * bsize))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

const library = () => globSync('/usr/lib/*/faketime/libfaketime.so.1')[0]
const missingFaketime = await ensureDebianPackage('faketime', () => library() !== undefined)

describe.skipIf(missingFaketime !== undefined)(`a clock ${missingFaketime ? `(${missingFaketime})` : ''}`, () => {
  it(
    'that jumps ten minutes ahead, and back: GitHub still knows the app, every deploy ends',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder()
      ends.push(folder.remove)
      const rc = join(folder.path, 'time')
      writeFileSync(rc, '+0')
      const faked = {
        ...{ LD_PRELOAD: library() ?? '', FAKETIME_TIMESTAMP_FILE: rc, FAKETIME_NO_CACHE: '1' },
        ...{ FAKETIME_DONT_FAKE_MONOTONIC: '1' },
      }
      const here = await begin({}, faked)
      for (const offset of ['+600', '-600', '+0']) {
        writeFileSync(rc, offset)
        await here.push(`at ${offset}`)
        expect(await here.verdict()).toEqual([])
      }
      expect(existsSync(rc)).toBe(true)
      expect(here.kills()).toBe(0)
    },
  )
})
