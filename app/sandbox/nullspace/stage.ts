import { sampleAgents } from '../samples.ts'
import type { Stage } from '../stage.ts'
import { otherwise } from './profile.ts'
import { startNullspace } from './server.ts'

export const nullspaceStage: Stage = {
  title: 'Nullspace',
  profiles: {
    'nullspace-otherwise': 'everything that is not documented the other way: hex digests, flat errors, builds',
  },
  async start({ root, port, profile }) {
    const nullspace = await startNullspace({ root, port, ...(profile ? { profile: otherwise } : {}) })
    const agents = sampleAgents.map(({ name }) => [name, nullspace.addDeployment({ name, mode: 'service' })] as const)
    const auth = '-H "authorization: Bearer $NULLSPACE_API_KEY"'
    const first = `${nullspace.url}/v1/agent-deployments/${agents[0]?.[1]}`
    return {
      url: nullspace.url,
      facts: [
        ['NULLSPACE_BASE_URL', nullspace.url],
        ['NULLSPACE_API_KEY', nullspace.apiKey],
        ...agents.map(([name, id]) => [`agent ${name}`, `${id}, nothing deployed yet`] as const),
      ],
      tries: [
        `export NULLSPACE_API_KEY=${nullspace.apiKey}`,
        `curl ${first} ${auth}`,
        `curl ${first}/versions ${auth}`,
        `curl ${first}/services ${auth}`,
      ],
      close: () => nullspace.close(),
    }
  },
}
