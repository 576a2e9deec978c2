import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { AppProcess } from '../support/app-process.ts'
import { gitRemote } from '../support/repository.ts'
import { createRig, repo, rest, type Rig } from '../support/rig.ts'
import { type Result, runStep } from '../support/runner.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 })

let rig: Rig
let app: AppProcess
let runs = 0

beforeEach(async () => {
  rig = await createRig()
  const door = await rig.openDoor()
  app = await door.start()
  rig.hookTo(app.url)
  await rig.pushFirst()
  await rest(rig)
})
afterEach(async () => {
  await app.kill()
  await rig.close()
})

/** The Action, in a fresh clone, as a workflow of the repository. */
async function step(inputs: Readonly<Record<string, string>>): Promise<Result> {
  const { github, folder } = rig.place
  const permissions = { contents: 'read', deployments: 'write', metadata: 'read' }
  const token = github.addToken({ login: 'github-actions[bot]', permissions, repositories: [repo] })
  const workspace = join(folder.path, `clone-${++runs}`)
  await gitRemote(folder.path, 'clone', '-q', `${github.url}/${repo}.git`, workspace)
  const { TOKEN: credential = '' } = rig.env
  return await runStep({
    folder: join(folder.path, 'runner'),
    workspace,
    github: { apiUrl: github.apiUrl, url: github.url, token },
    repository: repo,
    runId: 1000 + runs,
    // A run by hand lifts a hold; one of a push does not.
    event: { name: 'push', payload: {}, ref: 'refs/heads/main' },
    inputs: { agent: 'bot', token: credential, ...inputs },
    env: { NASIKO_BASE_URL: rig.nasiko.url },
  })
}

async function pull(says: string): Promise<number> {
  await rig.push(says)
  await rest(rig)
  await gitRemote(rig.place.work, 'push', '-q', 'origin', 'HEAD~1:refs/heads/before')
  return await rig.place.github.openPullRequest({ repo, head: 'main', base: 'before', title: 'x', author: 'ada' })
}

async function say(number: number, body: string): Promise<void> {
  rig.place.github.comment({ repo, number, author: 'ada', body })
  await rest(rig)
}

it('a hold that the App has set holds the Action, until a comment lifts it; what one has deployed the other leaves', async () => {
  const number = await pull('two')
  await say(number, '/rollback bot -- too slow')
  const held = await step({})
  await say(number, '/resume bot')
  const deployed = await step({})
  const again = await step({})

  expect(held.outputs).toMatchObject({ decision: 'held', 'reason-code': 'on-hold' })
  expect(held.summary).toContain('too slow')
  expect(deployed.outputs).toMatchObject({ decision: 'deployed' })
  expect(again.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'unchanged' })
  expect(await rig.says()).toContain('two')
})

it('a hold that the Action has set holds the App', async () => {
  await pull('two')
  const back = await step({ command: 'rollback', reason: 'too slow' })
  const sha = await rig.push('three')
  await rest(rig)
  const check = rig.repository().checkRuns.find(({ headSha }) => headSha === sha)

  expect(back.outputs, back.stdout).toMatchObject({ decision: 'rolled-back' })
  expect(check).toMatchObject({ conclusion: 'neutral', output: { title: 'bot: held (on-hold)' } })
  expect(check?.output.summary).toContain('too slow')
  expect(await rig.says()).toContain('one')
})
