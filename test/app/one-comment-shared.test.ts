import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AppProcess } from '../support/app-process.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { gitRemote } from '../support/repository.ts'
import { createRig, repo, rest, type Rig } from '../support/rig.ts'

describe.skipIf(missingPostgres !== undefined)(
  `the one comment of two instances ${missingPostgres ? `(${missingPostgres})` : ''}`,
  { timeout: 120_000 },
  () => {
    let server: TestPostgres
    let rig: Rig
    let instances: AppProcess[]

    beforeAll(async () => {
      server = await startPostgres()
      rig = await createRig({ databaseUrl: await server.createDatabase('app') })
      instances = [await (await rig.openDoor()).start(), await (await rig.openDoor()).start()]
      rig.hookTo(instances[0]?.url ?? '')
      await rig.pushFirst()
      await rest(rig)
    }, 60_000)

    afterAll(async () => {
      for (const instance of instances ?? []) await instance.kill()
      await rig?.close()
      await server?.close()
    })

    it('has the answer to every command, whichever of them got it', async () => {
      await rig.push('two')
      await gitRemote(rig.place.work, 'push', '-q', 'origin', 'HEAD~1:refs/heads/before')
      const number = await rig.place.github.openPullRequest({
        repo,
        head: 'main',
        base: 'before',
        title: 'x',
        author: 'ada',
      })
      const lines = [
        '/status',
        '/plan bot',
        '/hold bot',
        '/help',
        '/nothing',
        '/resume bot',
        '/hold bot -- again',
        '/rolback',
      ]
      for (const [index, body] of lines.entries()) {
        rig.hookTo(instances[index % 2]?.url ?? '')
        rig.place.github.comment({ repo, number, author: 'ada', body })
        await rig.place.github.settle()
      }
      await rest(rig, 60_000)
      const replies = rig.repository().comments.filter(({ author }) => author === 'agent-deploy[bot]')
      const answered = lines.filter((line) => replies[0]?.body.includes(`**\`${line}\`**`))

      expect(replies).toHaveLength(1)
      expect(answered).toEqual(lines.filter((line) => line !== '/nothing'))
    })
  },
)
