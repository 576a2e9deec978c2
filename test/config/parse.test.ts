import { describe, expect, it } from 'vitest'
import { checkConfig, parseConfig } from '../../src/config/parse.ts'
import { platforms } from '../../src/platforms/index.ts'

const from = { path: '.github/agents.yml', platforms }

const full = `version: 1
defaults:
  connection: nasiko-prod
agents:
  support-bot:
    platform: nasiko
    id: agent-abc123
    path: ./agents/support/
    deploy:
      on: release
      tag: support-bot-v*
      strategy: blue-green
      cleanup-old: false
      wait-for-checks: true
      timeout: 5m
      on-failure: keep
    version: minor
    bundle: { include: [dist/**], exclude: [docs/**], max-size: 5MB, allow-secrets: [tests/key.pem] }
    verify: { path: /health, status: 204, timeout: 10s }
    watch-paths: [shared/**]
    depends-on: [other]
    rollback: { allow: [maintain, '@acme/ops'] }
    settings: { source: github }
  other:
    platform: nasiko
    id: o
`

describe('parseConfig', () => {
  it('decides everything: the entry over the defaults over ours', () => {
    const { agents } = parseConfig(full, from)

    expect(agents[0]).toMatchObject({
      name: 'support-bot',
      id: 'agent-abc123',
      path: 'agents/support',
      environment: 'support-bot',
      connection: 'nasiko-prod',
      deploy: {
        on: 'release',
        tag: 'support-bot-v*',
        strategy: 'blue-green',
        cleanupOld: false,
        waitForChecks: true,
        timeoutMs: 300_000,
        onFailure: 'keep',
      },
      version: 'minor',
      bundle: { include: ['dist/**'], exclude: ['docs/**'], maxBytes: 5_000_000, allowSecrets: ['tests/key.pem'] },
      verify: { path: '/health', status: 204, timeoutMs: 10_000 },
      watchPaths: ['shared/**'],
      dependsOn: ['other'],
      allow: ['maintain', '@acme/ops'],
      settings: { source: 'github' },
    })
    expect(agents[1]).toMatchObject({
      path: '',
      connection: 'nasiko-prod',
      deploy: {
        on: 'push',
        branch: undefined,
        strategy: 'rolling',
        cleanupOld: true,
        timeoutMs: 900_000,
        onFailure: 'rollback',
      },
      version: 'auto',
      verify: undefined,
      allow: ['write'],
      settings: { source: 'bundle' },
    })
  })

  const agent = (lines: string) => `version: 1\nagents:\n  a:\n    platform: nasiko\n    id: x\n${lines}`
  // Columns: what is wrong, the file, the place and a part of the message.
  it.each([
    ['an unknown key', agent('    pth: agents\n'), '6:5', '"agents.a.pth" is not a known key'],
    [
      'an unknown key at the top',
      'version: 1\nagent: {}\nagents: { a: { platform: nasiko, id: x } }\n',
      '2:1',
      '"agent" is not a known key',
    ],
    [
      'an unknown key of a section',
      agent('    deploy:\n      brnch: main\n'),
      '7:7',
      '"agents.a.deploy.brnch" is not a known key',
    ],
    ['an unknown setting', agent('    settings:\n      sauce: x\n'), '7:7', '"sauce" is not a known key'],
    ['a wrong type', agent('    deploy: { cleanup-old: "yes" }\n'), '6:28', 'boolean'],
    ['a wrong value', agent('    deploy:\n      strategy: canary\n'), '7:17', '"rolling"|"blue-green"'],
    ['a duration without unit', agent('    deploy: { timeout: "15" }\n'), '6:24', 'use a duration'],
    ['a path that leaves the repository', agent('    path: ../x\n'), '6:11', 'inside the repository'],
    ['a version that is none', agent('    version: newest\n'), '6:14', 'exact semantic version'],
    [
      'an unknown platform',
      'version: 1\nagents:\n  a: { platform: heroku, id: x }\n',
      '3:18',
      '"heroku" is not a platform; use one of nasiko',
    ],
    ['a missing platform', 'version: 1\nagents:\n  a: { id: x }\n', '3:3', '"a" has no `platform`'],
    ['a missing id', 'version: 1\nagents:\n  a: { platform: nasiko }\n', '3:3', '"a" has no `id`'],
    ['a missing format version', 'agents:\n  a: { platform: nasiko, id: x }\n', '1:1', '"version"'],
    ['no agent', 'version: 1\nagents: {}\n', '2:9', 'at least one agent'],
    ['a bad name', 'version: 1\nagents:\n  "a b": { platform: nasiko, id: x }\n', '3:3', '"a b" is not a name'],
    ['an unknown dependency', agent('    depends-on: [ghost]\n'), '6:18', '"ghost" is not an agent'],
    ['a key given twice', agent('    id: y\n'), '6:5', 'unique'],
    ['broken YAML', 'version: 1\nagents: [\n', '3:1', 'Flow sequence'],
  ])('names the place of %s', (_, text, place, message) => {
    const result = checkConfig(text, from)

    const problems = 'problems' in result ? result.problems : []
    expect(problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`)).toEqual([
      expect.stringContaining(`${place} `),
    ])
    expect(problems[0]?.message).toContain(message)
  })

  it('reports all problems at once, in one error with every place', () => {
    const text = agent('    pth: agents\n    version: newest\n    deploy: { strategy: canary }\n')

    expect(() => parseConfig(text, from)).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringMatching(/3 problems:[^]*:6:5[^]*:7:14[^]*:8:25/),
      }),
    )
  })

  it('finds agents that depend on each other in a circle', () => {
    const text =
      'version: 1\nagents:\n  a: { platform: nasiko, id: x, depends-on: [b] }\n  b: { platform: nasiko, id: y, depends-on: [a] }\n'

    expect(() => parseConfig(text, from)).toThrow(/a → b → a/)
  })
})
