import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SandboxNullspace, startNullspace } from '../../app/sandbox/nullspace/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { nullspace as platform } from '../../src/platforms/nullspace/nullspace.ts'
import { Settings } from '../../src/platforms/nullspace/settings.ts'
import type { Change, Platform, PlatformClient, Ticket } from '../../src/platforms/platform.ts'
import type { Strategy } from '../../src/platforms/strategy.ts'
import { checkValues } from '../../src/values.ts'
import { testIo } from '../support/io.ts'
import { changeOf, serviceFile, shippedTar } from '../support/nullspace.ts'
import { temporaryFolder } from '../support/repository.ts'

/** Variables whose names stand in a version, and whose values come with the start of a service. */
const agentFile = `${serviceFile}[env]\nrequired = ["MODEL_KEY"]\noptional = ["TEMPERATURE"]\n`
/** It answers with what it was given. */
const server = `import { createServer } from 'node:http'
const { MODEL_KEY, OTHER } = process.env
createServer((request, response) => response.end([MODEL_KEY, OTHER].join())).listen(Number(process.env.PORT), '127.0.0.1')
`

let folder: ReturnType<typeof temporaryFolder>
let nullspace: SandboxNullspace
let id: string

beforeEach(async () => {
  folder = temporaryFolder()
  nullspace = await startNullspace({ root: join(folder.path, 'nullspace'), buildMs: 0 })
  id = nullspace.addDeployment({ name: 'bot', mode: 'service' })
})
afterEach(async () => {
  expect(nullspace.violations).toEqual([])
  await nullspace.close()
  folder.remove()
})

async function clientWith(agentEnv: Readonly<Record<string, string>>, settings: object = {}): Promise<PlatformClient> {
  const credentials = { NULLSPACE_API_KEY: nullspace.apiKey }
  const connection = { name: 'c', platform: 'nullspace', baseUrl: nullspace.url, credentials, agentEnv }
  return await platform.connect({ agentId: id, connection, settings: Settings.parse(settings) }, testIo({ fetch }))
}

async function change(content: number, strategy: Strategy = 'rolling'): Promise<Change> {
  const bundle = await shippedTar(folder.path, { 'main.mjs': server, 'content.txt': String(content) })
  const files = { 'nullspace.agent.toml': agentFile }
  return changeOf(bundle, { files, key: `commit-${content}`, strategy })
}

/** The ticket once the change is live. */
async function roll(client: PlatformClient, wanted: Change): Promise<Ticket> {
  return await follow(client, await client.submit(wanted, await client.find()))
}

async function follow(client: PlatformClient, from: Ticket): Promise<Ticket> {
  let ticket = from
  for (;;) {
    await nullspace.settled()
    const { state } = await client.check(ticket)
    if (state !== 'next' || !client.proceed) return ticket
    ticket = await client.proceed(ticket)
  }
}

async function answer(): Promise<string> {
  const running = nullspace.deployment(id).services.find(({ status }) => status === 'ready')
  return await (await fetch(running?.publicUrl ?? '')).text()
}

it.each(['rolling', 'blue-green'] as const)(
  'a service gets those of its connection that it names, and no others (%s)',
  async (strategy) => {
    const first = await roll(await clientWith({ MODEL_KEY: 'key-one', OTHER: 'not-for-it' }), await change(1, strategy))
    const before = await answer()

    const second = await roll(
      await clientWith({ MODEL_KEY: 'key-two', OTHER: 'not-for-it' }),
      await change(2, strategy),
    )

    expect([before, await answer()]).toEqual(['key-one,', 'key-two,'])
    expect(JSON.stringify([first, second])).not.toMatch(/key-(one|two)/)
  },
)

it('a service that is pinned to an old version gets what that version names', async () => {
  const client = await clientWith({ MODEL_KEY: 'key-one' }, { rollback: 'pin' })
  const { platformVersion } = await roll(client, await change(1))
  await roll(client, await change(2))

  const back = await client.rollback?.({ platformVersion, reason: undefined, cleanupFailed: true }, await client.find())
  if (back) await follow(client, back)

  expect(await answer()).toBe('key-one,')
})

it('a service whose connection has no value for it is refused before anything is sent', async () => {
  await expect(roll(await clientWith({ OTHER: 'x' }), await change(1))).rejects.toMatchObject({
    code: 'values-missing',
    message: expect.stringContaining('"MODEL_KEY"'),
    help: expect.stringContaining('`NULLSPACE_ENV_<name>`'),
  })
  expect(nullspace.requests.filter(({ method }) => method !== 'GET')).toEqual([])
})

describe('a plan', () => {
  const { agents } = parseConfig('version: 1\nagents: { bot: { platform: nullspace, id: x } }', {
    path: 'agents.yml',
    platforms: [platform as Platform],
  })

  async function check(file: string, agentEnv: Readonly<Record<string, string>>): Promise<void> {
    const [agent] = agents
    if (!agent) throw new Error('the config has no agent')
    const files = { 'nullspace.agent.toml': file }
    const connection = { name: 'c', platform: 'nullspace', baseUrl: '', credentials: {}, agentEnv }
    const bundle = { path: '', format: 'tar', digest: '', size: 0, entries: [], warnings: [] } as const
    const content = { bundle, document: undefined, attachments: [], patterns: { include: [], exclude: [] }, files }
    await checkValues(agent, { content, connection })
  }

  it('refuses a service that would not start', async () => {
    await expect(check(agentFile, {})).rejects.toMatchObject({ code: 'values-missing' })
  })

  it.each([
    ['a service that has its values', agentFile, { MODEL_KEY: 'x' }],
    ['a job, whose runs others start', agentFile.replace('mode = "service"', 'mode = "job"'), {}],
    ['a service that needs none', serviceFile, {}],
  ])('takes %s', async (_, file, agentEnv) => {
    await expect(check(file, agentEnv)).resolves.toBeUndefined()
  })
})
