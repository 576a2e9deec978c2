import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../app/reconcile.ts'
import { createPlace, type Place, settled, until } from '../support/app.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { gitRemote } from '../support/repository.ts'

const name = 'acme/agents'

interface Given {
  readonly id: string
  readonly agent?: string
  readonly task?: 'deploy' | 'rollback'
  readonly version?: string
  readonly actor?: string
  readonly trigger?: string
}

/** What the Action does in the ledger, with a workflow's own token. */
function workflow(place: Place) {
  const permissions = { contents: 'read', deployments: 'write', metadata: 'read' }
  const token = place.github.addToken({ login: 'github-actions[bot]', permissions, repositories: [name] })
  const post = async (path: string, body: object): Promise<number> => {
    const response = await fetch(`${place.github.apiUrl}/repos/${name}/deployments${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return ((await response.json()) as { id: number }).id
  }
  return {
    begin: ({
      id,
      agent = 'support-bot',
      task = 'deploy',
      version = '1.0.1',
      actor = 'maya',
      trigger = 'push',
    }: Given) =>
      post('', {
        ref: 'main',
        task,
        environment: agent,
        auto_merge: false,
        required_contexts: [],
        payload: {
          agent_deploy: {
            ...{ v: 1, id, agent, platform: 'memory', agent_id: 'agent-1', release_version: version, actor, trigger },
            ...{ platform_version: null, previous_version: '1.0.0', previous_commit: null, commit: place.first },
            ...{ digest: null, strategy: 'rolling', reason: null, range: null, managed: { prompt: 'f00d' } },
          },
        },
      }),
    say: (deployment: number, state: string, description: string) =>
      post(`/${deployment}/statuses`, {
        state,
        description,
        auto_inactive: false,
        log_url: 'https://github.test/acme/agents/actions/runs/9',
        environment_url: state === 'success' ? 'https://support.acme.example' : '',
      }),
  }
}

describe('an agent that a workflow deploys', () => {
  let place: Place
  let app: TestDashboard
  const text = async (path: string) => (await (await app.get(path)).text()).replace(/\s+/g, ' ')
  const key = () => `${place.github.repository(name).id}/support-bot`
  const agent = async () => await (await app.get(`/api/v1/agents/${key()}`)).json()

  beforeAll(async () => {
    place = await createPlace()
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    app = await startDashboard(place)
  })
  afterAll(async () => {
    await app.stop()
    await place.close()
  })

  it('is in the fleet while it runs, with who began it and a link to the run', async () => {
    const action = workflow(place)
    const deployment = await action.begin({ id: 'run-1' })
    await action.say(deployment, 'in_progress', 'deploy begun')
    await settled(app, place.github)

    expect(await agent()).toMatchObject({
      state: 'working',
      live: null,
      running: `ledger/${place.github.repository(name).id}/${deployment}`,
    })
    expect(await text('/')).toMatch(/support-bot<\/a>.*working/)
    expect(await text('/queue')).toMatch(
      /Running .*support-bot.*actions\/runs\/9" rel="noreferrer">workflow run<\/a>.*@maya/,
    )
  })

  it('is live with its version, since when and by whom, once the workflow says so', async () => {
    const action = workflow(place)
    const deployment = place.github.repository(name).deployments[0]?.id ?? 0
    await action.say(deployment, 'success', '1.0.1 is live (platform version 1.0.1)')
    await settled(app, place.github)
    const fleet = await text('/')
    const page = await text(`/agents/${key()}`)
    const operation = await text(`/operations/ledger/${place.github.repository(name).id}/${deployment}`)

    expect(await agent()).toMatchObject({
      state: 'live',
      live: { release_version: '1.0.1', by: 'maya', origin: 'ledger', url: 'https://support.acme.example' },
      hold: null,
    })
    expect(fleet).toMatch(/class="version">1\.0\.1<.*@maya.*deploy<\/a> in a workflow/)
    expect(page).toMatch(/Last change.*deploy<\/a> by @maya/)
    expect(page).toContain('1.0.1 is live.')
    expect(operation).toContain('not done by this app')
    expect(operation).toContain('actions/runs/9')
    expect(operation).not.toContain('f00d')
  })

  it('is held by a rollback of a workflow, and free again when that is lifted', async () => {
    const action = workflow(place)
    await wait()
    const deployment = await action.begin({
      id: 'run-2',
      task: 'rollback',
      version: '1.0.0',
      actor: 'grace',
      trigger: 'manual',
    })
    await action.say(deployment, 'success', 'Rolled back to 1.0.0; on hold')
    await settled(app, place.github)
    const held = await agent()
    await action.say(deployment, 'success', 'Hold lifted by @maya')
    await settled(app, place.github)

    expect(held).toMatchObject({ live: { release_version: '1.0.0', by: 'grace' }, hold: { by: 'grace' } })
    expect(await agent()).toMatchObject({ live: { release_version: '1.0.0' }, hold: null })
  })

  it('is free again when somebody resumes it here', async () => {
    const action = workflow(place)
    await wait()
    const deployment = await action.begin({ id: 'run-2b', task: 'rollback', version: '1.0.0', actor: 'grace' })
    await action.say(deployment, 'success', 'Rolled back to 1.0.0; on hold')
    await settled(app, place.github)
    const held = await agent()
    await place.push({ tree: { 'agents/support/note.md': 'x\n' }, message: 'docs: x' }, 'note')
    const pull = { repo: name, head: 'note', base: 'main', title: 'note', author: 'ada' }
    const number = await place.github.openPullRequest(pull)
    place.github.comment({ repo: name, number, author: 'ada', body: '/resume support-bot' })
    await settled(app, place.github)

    expect(held).toMatchObject({ hold: { by: 'grace' } })
    expect(await agent()).toMatchObject({ live: { origin: 'ledger' }, hold: null })
  })

  it('needs attention when the newest did not get live, with the code that the ledger has', async () => {
    const action = workflow(place)
    await wait()
    const deployment = await action.begin({ id: 'run-3', version: '1.0.2' })
    await action.say(deployment, 'failure', 'failed: build-failed. Memory could not bring 1.0.2 up')
    await settled(app, place.github)

    expect(await agent()).toMatchObject({
      state: 'attention',
      trouble: { decision: 'failed', code: 'build-failed' },
      live: { release_version: '1.0.0' },
    })
  })

  it('has what both did in one history, newest first, that can be filtered', async () => {
    await wait()
    await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    await settled(app, place.github)
    const history = async (query = '') =>
      (
        (await (await app.get(`/api/v1/agents/${key()}/operations${query}`)).json()) as {
          operations: { origin: string; decision: string; kind: string }[]
        }
      ).operations.map(({ origin, kind, decision }) => `${origin} ${kind} ${decision}`)

    expect(await history()).toEqual([
      'app deploy deployed',
      // By the app's clock, which runs fast in tests.
      'app resume skipped',
      'ledger deploy failed',
      'ledger rollback rolled-back',
      'ledger rollback rolled-back',
      'ledger deploy deployed',
    ])
    expect(await history('?decision=failed')).toEqual(['ledger deploy failed'])
    expect(await history('?kind=rollback')).toEqual(['ledger rollback rolled-back', 'ledger rollback rolled-back'])
    expect(await agent()).toMatchObject({ state: 'live', trouble: null, live: { origin: 'app', by: 'ada' } })
  })

  it('tells of what this app did itself only once', async () => {
    const rows = place.github.repository(name).deployments

    expect(rows).toHaveLength(5)
    expect(await text(`/agents/${key()}`)).not.toContain(
      `ledger/${place.github.repository(name).id}/${rows.at(-1)?.id}`,
    )
  })

  /** GitHub's times are whole seconds. */
  async function wait(): Promise<void> {
    const second = Math.floor(Date.now() / 1000)
    await until('the next second', () => Math.floor(Date.now() / 1000) > second)
  }
})

describe('what was deployed before anybody told us', () => {
  it('is read from the ledger, once', async () => {
    const place = await createPlace()
    place.github.pauseWebhooks()
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const action = workflow(place)
    const deployment = await action.begin({ id: 'run-1', agent: 'billing' })
    await action.say(deployment, 'success', '1.0.1 is live')
    const app = await startDashboard(place)
    const given = { reach: app.reach, seen: new Map<number, string>(), graceMs: -1 }
    await reconcile(app.app, given)
    const asked = () => place.github.requests.filter(({ path }) => path.endsWith('/statuses')).length
    const first = asked()
    await reconcile(app.app, { ...given, seen: new Map() })
    const { agents } = (await (await app.get('/api/v1/agents')).json()) as { agents: object[] }
    const second = asked()
    await app.stop()
    await place.close()

    expect(agents).toMatchObject([{ name: 'billing', state: 'live', live: { release_version: '1.0.1', by: 'maya' } }])
    expect(second).toBe(first)
  })

  it('is no trouble where the ledger can not be read', async () => {
    const place = await createPlace()
    place.github.pauseWebhooks()
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const app = await startDashboard(place)
    place.github.fault({ method: 'GET', path: /\/deployments$/, kind: 'status', status: 403 })
    await reconcile(app.app, { reach: app.reach, seen: new Map(), graceMs: -1 })
    const heads = await app.app.store.heads.of(place.github.repository(name).id)
    await app.stop()
    await place.close()

    expect(heads).toEqual([{ branch: 'main', sha: place.first }])
    expect(app.log.lines.join()).toContain('the ledger could not be read')
  })
})
