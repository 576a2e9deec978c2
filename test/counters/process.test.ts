import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/app.ts'
import { deliver, idlePush } from '../support/deliver.ts'
import { temporaryFolder } from '../support/repository.ts'
import { createRig, type Door, type Rig } from '../support/rig.ts'
import { node24, root } from '../support/runner.ts'
import { counted, missingStrace, straced } from '../support/strace.ts'
import { aboveCeiling } from './ceilings.ts'

const noStrace = missingStrace ? ` (${missingStrace})` : ''
const folder = temporaryFolder()
afterAll(() => folder.remove())

describe('the Action, from its start to the end of `validate`', () => {
  const workspace = join(folder.path, 'workspace')
  const files = { GITHUB_OUTPUT: join(folder.path, 'output'), GITHUB_STEP_SUMMARY: join(folder.path, 'summary') }

  beforeAll(() => {
    mkdirSync(join(workspace, '.github'), { recursive: true })
    const config = 'version: 1\nagents: { bot: { platform: nasiko, id: agent-1, path: agents/bot } }\n'
    writeFileSync(join(workspace, '.github/agents.yml'), config)
    for (const file of Object.values(files)) writeFileSync(file, '')
  })

  function validate(under: readonly string[], options: readonly string[] = []): void {
    const [program = '', ...words] = [...under, node24, ...options, join(root, 'dist/index.cjs')]
    const env = { ...files, INPUT_COMMAND: 'validate', GITHUB_WORKSPACE: workspace, GITHUB_REPOSITORY: 'o/r' }
    execFileSync(program, words, { env: { ...process.env, ...env }, stdio: 'ignore' })
  }

  it('loads few of Node’s own modules, and two files of ours', () => {
    const out = join(folder.path, 'modules')
    const count = `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(out)}, JSON.stringify([process.moduleLoadList.length, Object.keys(require.cache).length])))`
    const hook = join(folder.path, 'count.cjs')
    writeFileSync(hook, count)
    const read = () => JSON.parse(readFileSync(out, 'utf8')) as [number, number]
    execFileSync(node24, ['--require', hook, '-e', '0'])
    const [bare] = read()
    validate([], ['--require', hook])
    const [builtIn, ours] = read()

    // The hook is one file too.
    expect(aboveCeiling({ 'modules of Node, validate': builtIn - bare, 'files loaded, validate': ours - 1 })).toEqual(
      [],
    )
  })

  it.skipIf(missingStrace)(`asks the system for few files${noStrace}`, () => {
    const out = join(folder.path, 'calls')
    validate(straced(out, '%file'))
    const calls = [...counted(out).values()].reduce((sum, count) => sum + count, 0)

    expect(calls).toBeGreaterThan(20)
    expect(aboveCeiling({ 'system calls for files, validate': calls })).toEqual([])
  })
})

describe('the App, as a process', { timeout: 60_000 }, () => {
  let rig: Rig
  let door: Door
  beforeAll(async () => {
    rig = await createRig()
    door = await rig.openDoor()
  })
  afterAll(async () => await rig?.close())

  const allDone = (count: number) =>
    until('all is handled', async () => {
      const [row] = await rig.rows("SELECT count(*) AS n FROM delivery WHERE state = 'done'")
      return row?.['n'] === count
    })

  it('loads what it needs, and neither PostgreSQL nor its queue', async () => {
    const out = join(folder.path, 'loaded')
    const hook = join(import.meta.dirname, 'loaded.mjs')
    const app = await door.start({ NODE_OPTIONS: `--import=${hook}`, LOADED: out })
    await deliver(app.url)
    await allDone(1)
    await app.kill('SIGTERM')
    const loaded = readFileSync(out, 'utf8')
      .split('\n')
      .filter((url) => url.startsWith('file:'))

    expect(loaded.filter((url) => /\/node_modules\/(pg|pg-boss|@actions|playwright)/.test(url))).toEqual([])
    expect(
      aboveCeiling({
        'modules of ours, App': loaded.filter((url) => !url.includes('/node_modules/')).length,
        'modules of others, App': loaded.filter((url) => url.includes('/node_modules/')).length,
      }),
    ).toEqual([])
  })

  it.skipIf(missingStrace)(
    `waits for the disk once a group, and writes little for each webhook${noStrace}`,
    async () => {
      const out = join(folder.path, 'syncs')
      const before = Number((await rig.rows('SELECT count(*) AS n FROM delivery'))[0]?.['n'])
      const count = 40
      const app = await startTraced(straced(out, 'fdatasync,fsync'))
      const wrote = writtenBy(app.pid)
      for (let at = 0; at < count; at++) expect(await deliver(app.url)).toBe(202)
      await allDone(before + count)
      const bytes = writtenBy(app.pid) - wrote
      await app.stop()
      const alone = syncs(out)
      const again = await startTraced(straced(out, 'fdatasync,fsync'))
      expect(new Set(await Promise.all(Array.from({ length: count }, () => deliver(again.url))))).toEqual(
        new Set([202]),
      )
      await allDone(before + 2 * count)
      await again.stop()

      expect(alone).toBeGreaterThan(count)
      expect(
        aboveCeiling({
          'waits for the disk, one webhook': round(alone / count),
          'waits for the disk, each of 40 webhooks at once': round(syncs(out) / count),
          'bytes written for each byte of a webhook': round(bytes / count / idlePush.length),
        }),
      ).toEqual([])
    },
  )

  async function startTraced(under: readonly string[]) {
    const app = await door.start({}, under)
    const pid = Number(readFileSync(`/proc/${app.child.pid}/task/${app.child.pid}/children`, 'utf8').trim())
    return {
      url: app.url,
      pid,
      async stop() {
        // strace ends with what it looks at, and not by a signal.
        process.kill(pid, 'SIGTERM')
        await app.ended
      },
    }
  }

  /** By whatever way: the database, its log, answers, lines of the log. */
  function writtenBy(pid: number): number {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  }

  function syncs(file: string): number {
    return [...counted(file).values()].reduce((sum, calls) => sum + calls, 0)
  }

  const round = (value: number) => Math.round(value * 10) / 10
})
