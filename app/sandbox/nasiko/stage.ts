import { sampleAgents, samplePath } from '../samples.ts'
import type { Stage } from '../stage.ts'
import { observed } from './profile.ts'
import { startNasiko } from './server.ts'

export const nasikoStage: Stage = {
  title: 'Nasiko',
  profiles: { 'nasiko-observed': 'as the published source behaves: flat replies, errors under HTTP 200, no build ids' },
  async start({ root, port, profile }) {
    const nasiko = await startNasiko({ root, port, ...(profile ? { profile: observed } : {}) })
    const account = nasiko.addAccount('ada')
    const agents: [string, string][] = []
    for (const { name, id, path } of sampleAgents) agents.push([`agent ${id}`, await add({ name, id, path })])

    async function add({ name, id, path }: { name: string; id: string; path: string }): Promise<string> {
      try {
        await nasiko.addAgent({ owner: 'ada', name, id, seed: samplePath(path) })
        return `${nasiko.agentUrl(id)}/`
      } catch (error) {
        // The other agent may do; the person is told why this one does not.
        return `not live: ${error instanceof Error ? error.message : String(error)}`
      }
    }

    const auth = '-H "authorization: Bearer $NASIKO_TOKEN"'
    return {
      url: nasiko.url,
      facts: [
        ['NASIKO_BASE_URL', nasiko.url],
        ['NASIKO_TOKEN', account.token],
        ['NASIKO_ACCESS_KEY', account.accessKey],
        ['NASIKO_ACCESS_SECRET', account.accessSecret],
        ...agents,
      ],
      tries: [
        `curl -i ${nasiko.agentUrl('agent-search')}/`,
        `export NASIKO_TOKEN=${account.token}`,
        'git -C agents archive --format=zip -o "$PWD/search.zip" HEAD:agents/search',
        `curl -X PUT ${nasiko.url}/api/v1/agents/agent-search/update ${auth} -F file=@search.zip -F version=minor -F update_strategy=blue-green`,
        `curl ${nasiko.url}/api/v1/agents/agent-search/versions ${auth}`,
        `curl -X POST ${nasiko.url}/api/v1/agents/agent-search/rollback ${auth} -H 'content-type: application/json' -d '{"target_version": "1.0.0"}'`,
      ],
      close: () => nasiko.close(),
    }
  },
}
