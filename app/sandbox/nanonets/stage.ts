import type { Stage } from '../stage.ts'
import { startNanonets } from './server.ts'

export const nanonetsStage: Stage = {
  title: 'Nanonets',
  profiles: { 'nanonets-own-way': 'values are kept trimmed, sorted and with defaults' },
  async start({ port, profile }) {
    const nanonets = await startNanonets({ port, profile: { ownWay: profile !== undefined } })
    const key = nanonets.addWorkspace()
    const config = { system_prompt: 'Read invoices.', model: 'large' }
    const { group } = nanonets.addAgent({ key, name: 'invoices', config })
    const auth = '-H "authorization: Bearer $NANONETS_API_KEY"'
    const json = "-H 'content-type: application/json'"
    const agent = `${nanonets.url}/api/v1/agents/${group}`
    return {
      url: nanonets.url,
      facts: [
        ['NANONETS_BASE_URL', nanonets.url],
        ['NANONETS_API_KEY', key],
        ['agent invoices', group],
      ],
      tries: [
        `export NANONETS_API_KEY=${key}`,
        `curl ${agent} ${auth}`,
        `curl -X PATCH ${agent} ${auth} ${json} -d '{"system_prompt": "Read invoices, and doubt them."}'`,
        `curl -X POST ${agent}/versions/publish ${auth}`,
        `curl ${agent}/versions ${auth}`,
      ],
      close: () => nanonets.close(),
    }
  },
}
