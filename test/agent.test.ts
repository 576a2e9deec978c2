import { describe, expect, it } from 'vitest'
import { reconfigured, type RepositoryEvent, selectAffected } from '../src/affected.ts'
import { selectAgents } from '../src/agent.ts'
import { parseConfig } from '../src/config/parse.ts'
import { platforms } from '../src/platforms/index.ts'

const config = parseConfig(
  `version: 1
defaults: { platform: nasiko }
agents:
  web: { id: w, path: agents/web, depends-on: [core], watch-paths: ['shared/**', '*.lock'] }
  core: { id: c, path: agents/core }
  next: { id: n, path: agents/web, deploy: { branch: next } }
  done: { id: d, path: agents/core, deploy: { on: release, tag: 'done-v*' } }
  hand: { id: h, path: agents/core, deploy: { on: manual } }
`,
  { path: 'agents.yml', platforms },
)

describe('selectAffected', () => {
  const push = (branch: string, ...changedPaths: string[]): RepositoryEvent => ({
    kind: 'push',
    branch,
    defaultBranch: 'main',
    changedPaths,
  })
  // Columns: name, event, agents in the order in which they are deployed.
  it.each<[string, RepositoryEvent, string[]]>([
    ['a file of one agent', push('main', 'agents/core/x.py'), ['core']],
    ['files of two, the one needed first', push('main', 'agents/web/x', 'agents/core/x'), ['core', 'web']],
    ['a watched path', push('main', 'shared/deep/style.md'), ['web']],
    ['a watched file anywhere', push('main', 'tools/a.lock'), ['web']],
    ['a folder whose name only begins alike', push('main', 'agents/core2/x'), []],
    ['another branch', push('next', 'agents/web/x'), ['next']],
    ['nothing of any agent', push('main', 'README.md'), []],
    [
      'an entry of the config file',
      {
        kind: 'push',
        branch: 'main',
        defaultBranch: 'main',
        changedPaths: ['agents.yml'],
        reconfigured: ['core', 'next'],
      },
      ['core'],
    ],
    [
      'a push whose changes can’t be known',
      { kind: 'push', branch: 'main', defaultBranch: 'main', changedPaths: undefined },
      ['core', 'web'],
    ],
    ['a release of the agent’s own tag', { kind: 'release', tag: 'done-v1.2.0' }, ['done']],
    ['a release of another tag', { kind: 'release', tag: 'web-v1.2.0' }, []],
  ])('%s', (_, event, expected) => {
    expect(selectAffected(config, event).map(({ name }) => name)).toEqual(expected)
  })
})

describe('reconfigured', () => {
  const parse = (text: string) => parseConfig(`version: 1\n${text}`, { path: 'agents.yml', platforms })
  const after = parse('agents: { a: { platform: nasiko, id: x }, b: { platform: nasiko, id: y } }\n')

  // Columns: the file before, the agents that it describes otherwise now.
  it.each<[string, string | undefined, string[]]>([
    ['written in another way', 'agents:\n  b: { id: y, platform: nasiko }\n  a: { id: x, platform: nasiko }\n', []],
    ['with another setting', 'agents: { a: { platform: nasiko, id: x }, b: { platform: nasiko, id: z } }\n', ['b']],
    ['without an agent', 'agents: { b: { platform: nasiko, id: y } }\n', ['a']],
    ['that could not be read', undefined, ['a', 'b']],
  ])('compares with one %s', (_, before, expected) => {
    expect(reconfigured(after, before === undefined ? undefined : parse(before))).toEqual(expected)
  })
})

describe('selectAgents', () => {
  it('takes all when none is named, each after those it depends on', () => {
    expect(selectAgents(config, undefined).map(({ name }) => name)).toEqual(['core', 'web', 'next', 'done', 'hand'])
  })

  it('names the agents there are when one is unknown', () => {
    expect(() => selectAgents(config, ['ghost'])).toThrow(
      expect.objectContaining({ code: 'agent-unknown', help: expect.stringContaining('"web", "core"') }),
    )
  })
})
