import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { operationPath } from '../../app/dashboard/words.ts'
import { createLog } from '../../app/log.ts'
import { createRedactor } from '../../src/redact.ts'
import { secretsOf } from '../../app/env.ts'
import { config, createPlace, settled, webhookSecret } from '../support/app.ts'
import { startDashboard } from '../support/dashboard.ts'
import { memoryPlatform } from '../support/memory-platform.ts'

/** Values that may be nowhere but where they belong; none has the form of a credential, so that only knowing helps. */
const canaries = {
  credential: 'canary-credential-7f3a',
  metrics: 'canary-metrics-token-7f3a',
  client: 'canary-client-secret-7f3a',
  header: 'canary-request-header-7f3a',
  prompt: 'canary-prompt-of-the-agent-7f3a',
}

it('no credential, prompt or header is in a page, the API, the metrics, the log, the database or on GitHub', async () => {
  const place = await createPlace({ '.github/agents.yml': config })
  const memory = memoryPlatform()
  const env = { MEMORY_TOKEN: canaries.credential, METRICS_TOKEN: canaries.metrics }
  const app = await startDashboard(place, { signIn: true, memory, env })
  const secrets = [...secretsOf(app.settings), canaries.header, canaries.prompt]
  const live = memory.progress
  // A platform that repeats what it was sent, as some do.
  memory.progress = (ticket) =>
    ticket.operation === 'deploy'
      ? { state: 'failed', reason: `bad token ${canaries.credential}, Authorization: Bearer ${canaries.credential}` }
      : live(ticket)
  await place.push({ tree: { 'agents/support/prompt.md': `${canaries.prompt}\n` }, message: 'feat: a prompt' })
  await settled(app, place.github)
  await fetch(`${app.url}/api/github/webhooks`, {
    method: 'POST',
    headers: {
      'x-github-event': canaries.header,
      'x-hub-signature-256': canaries.header,
      authorization: canaries.header,
    },
    body: canaries.header,
  })
  const cookie = await app.signInAs('ada')
  const session = cookie.split('=')[1] ?? ''
  const key = `${place.github.repository('acme/agents').id}/support-bot`
  const [operation] = await app.app.store.agents.recent(key, 1)
  const path = operationPath(operation?.id ?? '')
  const agent = `/agents/${key}`
  const outputs: Record<string, string> = {}
  const given = { cookie, authorization: `Bearer ${canaries.metrics}`, 'x-canary': canaries.header }
  for (const at of ['/', agent, `${agent}/rollback`, path, '/queue', '/metrics', `/nothing-${canaries.header.length}`])
    outputs[at] = await (await app.get(at, given)).text()
  for (const at of ['/agents', agent, `${agent}/operations`, path, '/queue'])
    outputs[`API ${at}`] = await (await app.get(`/api/v1${at}`, { cookie })).text()
  const tokens = place.github.requests.length > 0 ? [session] : []
  await app.stop()
  outputs['log'] = app.log.lines.join('\n')
  for (const file of readdirSync(place.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ))
    outputs[`file ${file.name}`] = readFileSync(join(file.parentPath, file.name), 'latin1')
  const { checkRuns, deployments, comments } = place.github.repository('acme/agents')
  outputs['GitHub'] = JSON.stringify({ checkRuns, deployments, comments })
  await place.close()

  expect(outputs[path]).toContain('bad token ***')
  expect(outputs['/metrics']).toContain('agent_deploy_build_info')
  expect(Object.keys(outputs).join()).toMatch(/file agent-deploy\.db/)
  expect(secrets).toContain(webhookSecret)
  for (const [where, text] of Object.entries(outputs)) {
    for (const secret of [...secrets, ...tokens, 'ghu_', 'PRIVATE KEY'])
      expect(text.includes(secret), `"${secret.slice(0, 40)}" in ${where}`).toBe(false)
  }
})

it('a log line is redacted whatever field a secret is in, in both forms', () => {
  const lines: string[] = []
  const options = { level: 'debug', redact: createRedactor([canaries.client]), now: () => 0 } as const
  for (const format of ['json', 'pretty'] as const) {
    const log = createLog({ ...options, format, write: (line) => void lines.push(line) })
    log.info(`told ${canaries.client}`, { stack: canaries.client, agent: canaries.client })
  }

  expect(lines.join('')).not.toContain(canaries.client)
  expect(lines.join('').match(/\*\*\*/g)).toHaveLength(6)
})
