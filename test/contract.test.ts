import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { makeReadme } from '../app/build.ts'
import { Inputs, readInputs } from '../src/action/inputs.ts'
import { outputNames, outputsOf } from '../src/action/outputs.ts'
import { Result } from '../src/action/result.ts'
import { parseConfig } from '../src/config/parse.ts'
import { ConfigFile } from '../src/config/schema.ts'
import { catalogue } from '../src/errors.ts'
import { type Outcome, reasons } from '../src/outcome.ts'
import { platforms } from '../src/platforms/index.ts'
import { actionFile, root } from './support/runner.ts'

describe('action.yml', () => {
  it('has the inputs that are read, in the same order', () => {
    expect(Object.keys(actionFile.inputs)).toEqual(Object.keys(Inputs.shape))
  })

  it('has the outputs that are set, in the same order', () => {
    expect(Object.keys(actionFile.outputs)).toEqual(outputNames)
  })

  it('states the defaults that hold when an input is left empty', () => {
    const empty = readInputs(() => '')
    const stated = Object.entries(actionFile.inputs).filter(([name, input]) => input.default && name !== 'github-token')

    const effective = Object.entries(empty).filter(([, value]) => value !== undefined)
    expect(Object.fromEntries(stated.map(([name, input]) => [name, input.default]))).toEqual(
      Object.fromEntries(effective.map(([name, value]) => [name, String(value)])),
    )
  })

  it.each([...Object.entries(actionFile.inputs), ...Object.entries(actionFile.outputs)])(
    'describes %s in a sentence',
    (_, { description }) => {
      expect(description).toMatch(/^[A-Z].*\.$/)
    },
  )
})

describe('the README', () => {
  it('has the tables that the sources make', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')

    expect(readme === (await makeReadme()), 'README.md is out of date: run `npm run build`').toBe(true)
  })

  it.each([
    ['inputs', Object.keys(Inputs.shape)],
    ['outputs', [...outputNames]],
    ['reasons', Object.keys(reasons)],
    ['errors', Object.keys(catalogue)],
    ['config', Object.keys(schemaOfAgent().properties)],
  ])('lists all %s, each once', (section, names) => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const table = readme.slice(readme.indexOf(`<!-- ${section} -->`), readme.indexOf(`<!-- /${section} -->`))
    const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)

    expect(names.filter((name) => listed.filter((row) => row === name).length < 1)).toEqual([])
    if (section !== 'config') expect(listed).toEqual(names)
  })
})

describe('the config file', () => {
  it('has the defaults that its schema states', () => {
    const { properties } = schemaOfAgent()
    const group = (name: string) => defaultsOf(properties[name]?.properties ?? {})
    const stated = {
      ...defaultsOf(properties),
      ...{ deploy: group('deploy'), bundle: group('bundle'), rollback: group('rollback'), verify: group('verify') },
    }
    const read = (agent: unknown) =>
      parseConfig(JSON.stringify({ version: 1, agents: { a: agent } }), { path: 'agents.yml', platforms }).agents[0]
    const least = { platform: platforms[0]?.id, id: 'x', verify: {} }

    // A first version that is not given is ours to choose: the engine does, as the schema says.
    expect({ ...read(least), initialVersion: '1.0.0' }).toEqual(read({ ...least, ...stated }))
  })
})

describe('the result', () => {
  it('is what its schema says, and the schema says all of it', () => {
    const outcome: Required<Outcome> = {
      ...{ agent: 'a', decision: 'deployed', code: 'released', message: 'm', help: 'h', operation: 'deploy' },
      ...{ platform: 'p', agentId: 'x', commit: 'c', releaseVersion: '1.1.0', previousVersion: '1.0.0' },
      ...{
        platformVersion: 'v1',
        kept: 'k',
        buildId: 'b',
        deploymentId: 'd',
        githubDeploymentId: 1,
        status: 'live',
        url: 'u',
      },
      ...{
        digest: 'sha256:0',
        bundlePath: '/b.zip',
        bundleSize: 3,
        restoredVersion: '1.0.0',
        tag: 'a-v1.1.0',
        fileChanges: { added: ['x'], changed: [], removed: [] },
        warnings: ['w'],
      },
      ...{ changes: [{ path: 'a.b', kind: 'changed', lines: ['-x', '+y'] }], drift: [] },
      ...{ startedAt: 1, finishedAt: 2, entries: [{ path: 'x', size: 1, included: true, reason: 'tracked' }] },
      version: {
        ...{ version: '1.1.0', previous: '1.0.0', bump: 'minor', reason: 'r', read: 1, counted: 1 },
        ...{ source: 'complete', warnings: [], commits: [{ sha: 's', subject: 't', bump: 'minor', reason: 'r' }] },
      },
    }
    const shown = JSON.parse(outputsOf([outcome], 'deploy').result) as unknown

    expect(Result.parse(shown)).toEqual(shown)
    expect(Object.keys(Result.shape.outcomes.def.element.shape).sort()).toEqual(
      Object.keys((shown as Result).outcomes[0] ?? {}).sort(),
    )
  })
})

interface Node {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
}

function schemaOfAgent(): { properties: Readonly<Record<string, Node>> } {
  const schema = z.toJSONSchema(ConfigFile, { io: 'input' }) as unknown as {
    properties: { agents: { additionalProperties: { properties: Record<string, Node> } } }
  }
  return schema.properties.agents.additionalProperties
}

function defaultsOf(properties: Readonly<Record<string, Node>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, node]) => (node.default === undefined ? [] : [[name, node.default]])),
  )
}
