import type { Stage } from '../stage.ts'
import { type QoderProfile, startQoder } from './server.ts'

const agentId = `agent_${'0'.repeat(31)}1`

export const qoderStage: Stage = {
  title: 'Qoder',
  profiles: {
    'qoder-newest': 'its newest pages: POST, `system`, skills always shown',
    'qoder-first': 'its first pages: `instructions`, snapshots only in the list',
    'qoder-own-way': 'values are kept trimmed, sorted and with defaults',
  },
  async start({ port, profile }) {
    const qoder = await startQoder({ port, profile: profileNamed(profile) })
    const [verb, prompt] = profile === 'qoder-newest' ? ['POST', 'system'] : ['PUT', 'instructions']
    qoder.create({ name: 'concierge', model: 'ultimate', [prompt]: 'Answer politely.' }, agentId)
    const auth = '-H "authorization: Bearer $QODER_PAT"'
    const extended = '-H "x-cas-include-extended: true"'
    const json = "-H 'content-type: application/json'"
    const agent = `${qoder.baseUrl}/agents/${agentId}`
    return {
      url: qoder.url,
      facts: [
        ['QODER_BASE_URL', qoder.baseUrl],
        ['QODER_PAT', qoder.pat],
        ['agent concierge', agentId],
      ],
      tries: [
        `export QODER_PAT=${qoder.pat}`,
        `curl ${agent} ${auth} ${extended}`,
        `curl -X ${verb} ${agent} ${auth} ${json} -d '{"version": 1, "${prompt}": "Answer briefly."}'`,
        `curl '${agent}?version=1' ${auth} ${extended}`,
        `curl ${agent}/versions ${auth}`,
      ],
      close: () => qoder.close(),
    }
  },
}

function profileNamed(name: string | undefined): QoderProfile {
  if (name === 'qoder-newest') return { verb: 'post', prompt: 'system', extended: 'always' }
  if (name === 'qoder-first') return { prompt: 'instructions', snapshots: 'list' }
  return { ownWay: name === 'qoder-own-way' }
}
