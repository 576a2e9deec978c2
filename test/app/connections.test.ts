import { describe, expect, it } from 'vitest'
import { chooseConnection, type NamedConnection, parseConnections } from '../../app/connections.ts'
import { resolveAgent } from '../../src/config/config.ts'
import { platforms } from '../../src/platforms/index.ts'
import { memoryPlatform } from '../support/memory-platform.ts'

const { platform } = memoryPlatform()
const from = { platforms: [platform], env: { MEMORY_TOKEN: 'secret-value', OTHER: 'another-value' } }

describe('the connections file', () => {
  it('gives connections with their credentials from the environment', () => {
    const parsed = parseConnections(
      'a: { platform: memory, credentials: [MEMORY_TOKEN], repositories: [acme/*] }\nb: { platform: memory, base-url: "https://b.example", credentials: { MEMORY_TOKEN: OTHER } }\n',
      from,
    )

    expect(parsed).toEqual({
      connections: [
        {
          name: 'a',
          platform: 'memory',
          baseUrl: 'http://127.0.0.1:9',
          credentials: { MEMORY_TOKEN: 'secret-value' },
          repositories: ['acme/*'],
        },
        {
          name: 'b',
          platform: 'memory',
          baseUrl: 'https://b.example',
          credentials: { MEMORY_TOKEN: 'another-value' },
          repositories: [],
        },
      ],
    })
  })

  it('gives values for agents by the names that agents know them by', () => {
    const [nullspace] = platforms.filter(({ id }) => id === 'nullspace')
    const text =
      'a: { platform: nullspace, base-url: "https://n.example", credentials: [KEY], env: { MODEL_KEY: OTHER, GONE: NOT_SET } }\nb: { platform: memory, credentials: [MEMORY_TOKEN], env: [OTHER] }\n'
    const around = { platforms: [...from.platforms, ...(nullspace ? [nullspace] : [])], env: { ...from.env, KEY: 'k' } }

    const parsed = parseConnections(
      text.replace('credentials: [KEY]', 'credentials: { NULLSPACE_API_KEY: KEY }'),
      around,
    )
    const mended = parseConnections(
      'a: { platform: nullspace, base-url: "https://n.example", credentials: { NULLSPACE_API_KEY: KEY }, env: { MODEL_KEY: OTHER } }\n',
      around,
    )

    expect('problems' in parsed && parsed.problems.map(({ message }) => message)).toEqual([
      'the environment variable "NOT_SET" is not set',
      'Memory gives agents no variables',
    ])
    expect(mended).toMatchObject({ connections: [{ agentEnv: { MODEL_KEY: 'another-value' } }] })
  })

  it('reports every problem at once, at its line and column', () => {
    const text = [
      'a: { platform: nowhere, credentials: [MEMORY_TOKEN] }',
      'b: { platform: memory, credentials: [NOT_SET] }',
      'c: { platform: memory, credentials: { MEMORY_TOKEN: NOT_SET } }',
      'd: { platform: memory, credentials: [MEMORY_TOKEN], repositories: acme }',
      'e: { platform: memory, credentials: [MEMORY_TOKEN], token: abc }',
    ].join('\n')

    const parsed = parseConnections(text, from)

    expect(
      'problems' in parsed && parsed.problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
    ).toEqual([
      '1:16 "nowhere" is not a platform; use one of memory',
      '2:37 "b" needs the credentials MEMORY_TOKEN',
      '2:37 Memory has no credential "NOT_SET"',
      '3:37 the environment variable "NOT_SET" is not set',
      expect.stringContaining('4:'),
      '5:53 "e.token" is not a known key',
    ])
  })

  it.each([
    ['broken YAML', 'a: [', 'Flow sequence'],
    ['a list', '- a', 'expected record'],
  ])('that is %s is a problem, not a crash', (_, text, expected) => {
    const parsed = parseConnections(text, from)

    expect('problems' in parsed && parsed.problems.map(({ message }) => message).join()).toContain(expected)
  })

  it('that is empty has no connections', () => {
    expect(parseConnections('', from)).toEqual({ connections: [] })
  })
})

describe('the connection of an agent', () => {
  const agent = (connection?: string) =>
    resolveAgent('a', {
      entry: { id: 'x', ...(connection ? { connection } : {}) },
      defaults: undefined,
      platform,
      settings: {},
    })
  const connection = (name: string, repositories: string[], id = 'memory'): NamedConnection => ({
    name,
    platform: id,
    baseUrl: '',
    credentials: {},
    repositories,
  })
  const all = [connection('main', ['acme/*']), connection('mine', ['acme/agents']), connection('far', ['x/y'], 'other')]

  it.each([
    // named, repository, the connection or the error's code
    ['main', 'acme/agents', 'main'],
    ['main', 'ACME/Agents', 'main'],
    ['main', 'acme-evil/agents', 'connection-not-allowed'],
    ['main', 'evil/acme/agents', 'connection-not-allowed'],
    ['mine', 'acme/agents2', 'connection-not-allowed'],
    ['none', 'acme/agents', 'connection-missing'],
    ['far', 'x/y', 'connection-missing'],
    [undefined, 'acme/other', 'main'],
    [undefined, 'acme/agents', 'connection-missing'],
    [undefined, 'evil/agents', 'connection-not-allowed'],
  ])('named %j for %j is %j', (named, repository, expected) => {
    const choose = () => {
      try {
        return chooseConnection(all, { agent: agent(named), repository }).name
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error
      }
    }

    expect(choose()).toBe(expected)
  })

  it('is none at all where the file has none', () => {
    expect(() => chooseConnection([], { agent: agent(), repository: 'acme/agents' })).toThrow('No credentials')
  })
})
