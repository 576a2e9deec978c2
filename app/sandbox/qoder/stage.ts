import type { Stage } from '../stage.ts'
import { startQoder } from './server.ts'

const agentId = `agent_${'0'.repeat(31)}1`

export const qoderStage: Stage = {
  title: 'Qoder',
  async start({ port }) {
    const qoder = await startQoder({ port })
    qoder.create({ name: 'concierge', model: 'ultimate', instructions: 'Answer politely.' }, agentId)
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
        `curl -X PUT ${agent} ${auth} ${json} -d '{"version": 1, "instructions": "Answer briefly."}'`,
        `curl '${agent}?version=1' ${auth} ${extended}`,
        `curl ${agent}/versions ${auth}`,
      ],
      close: () => qoder.close(),
    }
  },
}
