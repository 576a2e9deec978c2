import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings, secretsOf } from '../../app/env.ts'
import { memoryPlatform } from '../support/memory-platform.ts'
import { temporaryFolder } from '../support/repository.ts'

const pem = (type: 'rsa' | 'ec') =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()

const platforms = [memoryPlatform().platform]
const key = pem('rsa')
let folder: ReturnType<typeof temporaryFolder>
let good: Record<string, string>

beforeAll(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder.path, 'empty'))
  const connections = join(folder.path, 'connections.yml')
  writeFileSync(connections, 'main: { platform: memory, credentials: [MEMORY_TOKEN], repositories: [acme/*] }\n')
  writeFileSync(join(folder.path, 'key.pem'), key)
  writeFileSync(join(folder.path, 'broken.yml'), 'main: { platform: nowhere, credentials: [X] }\n')
  good = {
    APP_ID: '12',
    PRIVATE_KEY: key,
    WEBHOOK_SECRET: 'a long secret',
    CONNECTIONS: connections,
    MEMORY_TOKEN: 'tok-123456',
  }
})
afterAll(() => folder.remove())

const read = (env: Record<string, string | undefined>) =>
  readSettings(env, { platforms, folder: join(folder.path, 'empty') })
const problemOf = (env: Record<string, string | undefined>) => {
  try {
    read(env)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'none'
}

describe('the settings', () => {
  it('are read with their defaults', () => {
    expect(read(good)).toMatchObject({
      appId: 12,
      privateKey: key,
      webhookSecrets: ['a long secret'],
      dataDir: './data',
      host: 'localhost',
      port: 3000,
      apiUrl: 'https://api.github.com',
      configPath: '.github/agents.yml',
      logLevel: 'info',
      logFormat: undefined,
      drainMs: 10_000,
    })
  })

  it.each([
    ['base64', () => ({ PRIVATE_KEY: Buffer.from(key).toString('base64') })],
    ['\\n for line breaks', () => ({ PRIVATE_KEY: key.replaceAll('\n', '\\n') })],
    ['a file', () => ({ PRIVATE_KEY: '', PRIVATE_KEY_PATH: join(folder.path, 'key.pem') })],
  ])('take the key as %s', (_, over) => {
    expect(read({ ...good, ...over() }).privateKey.trim()).toBe(key.trim())
  })

  it.each([
    ['a GitHub Enterprise Server', { GHE_HOST: 'ghe.example' }, 'https://ghe.example/api/v3'],
    ['without TLS', { GHE_HOST: '127.0.0.1:80', GHE_PROTOCOL: 'http' }, 'http://127.0.0.1:80/api/v3'],
    ['an API URL', { GITHUB_API_URL: 'http://127.0.0.1:1/api/v3/' }, 'http://127.0.0.1:1/api/v3'],
  ])('know %s', (_, over, apiUrl) => {
    expect(read({ ...good, ...over }).apiUrl).toBe(apiUrl)
  })

  it('keep the previous secret while it is being changed', () => {
    expect(read({ ...good, WEBHOOK_SECRET_PREVIOUS: 'the old secret' }).webhookSecrets).toEqual([
      'a long secret',
      'the old secret',
    ])
  })

  it.each([
    ['no app id', { APP_ID: undefined }, 'APP_ID: set it to the id of the GitHub App'],
    ['an app id that is none', { APP_ID: 'my-app' }, 'APP_ID: use the id of the GitHub App, a number'],
    ['no secret', { WEBHOOK_SECRET: undefined }, 'WEBHOOK_SECRET: set it to the webhook secret'],
    ['an empty secret', { WEBHOOK_SECRET: '' }, 'WEBHOOK_SECRET: set it to the webhook secret'],
    ['the secret that everybody knows', { WEBHOOK_SECRET: 'development' }, 'the secret that everybody knows'],
    ['a short secret', { WEBHOOK_SECRET: 'abc' }, 'at least 8 characters'],
    ['no key', { PRIVATE_KEY: undefined }, 'PRIVATE_KEY: set it to the private key'],
    ['a malformed key', { PRIVATE_KEY: 'not a key' }, 'PRIVATE_KEY: it is not a private key that can be read'],
    [
      'a cut key',
      { PRIVATE_KEY: key.slice(0, 400) + '\n-----END PRIVATE KEY-----\n' },
      'PRIVATE_KEY: it is not a private key',
    ],
    ['a key of another kind', { PRIVATE_KEY: pem('ec') }, 'it is not an RSA key'],
    [
      'a key file that is not there',
      { PRIVATE_KEY: '', PRIVATE_KEY_PATH: '/nowhere.pem' },
      'PRIVATE_KEY_PATH: "/nowhere.pem" is not',
    ],
    [
      'no connections file',
      { CONNECTIONS: '/nowhere.yml' },
      `the connections file "/nowhere.yml" can't be read (ENOENT)`,
    ],
    ['a credential that is not set', { MEMORY_TOKEN: undefined }, 'the environment variable "MEMORY_TOKEN" is not set'],
    ['a port that is none', { PORT: 'http' }, 'PORT: use a port number'],
  ])('refuse %s, and say what to do', (_, over, expected) => {
    expect(problemOf({ ...good, ...over })).toContain(expected)
  })

  it('name everything that is wrong at once', () => {
    const text = problemOf({ CONNECTIONS: join(folder.path, 'broken.yml'), LOG_LEVEL: 'loud' })

    for (const name of ['APP_ID:', 'WEBHOOK_SECRET:', 'PRIVATE_KEY:', 'LOG_LEVEL:', 'broken.yml:1:19 "nowhere"'])
      expect(text).toContain(name)
    expect(text).toContain("can't start; 5 of its settings are wrong")
  })

  it('never show a key or a secret in what they refuse', () => {
    const text = problemOf({ ...good, PRIVATE_KEY: `${key.slice(0, 300)}`, WEBHOOK_SECRET: 'short', APP_ID: 'x' })

    expect(text).not.toContain(key.slice(40, 80))
    expect(text).not.toContain('short')
  })

  it('say what must never be seen', () => {
    expect(secretsOf(read(good))).toEqual([key, 'a long secret', 'tok-123456'])
  })
})
