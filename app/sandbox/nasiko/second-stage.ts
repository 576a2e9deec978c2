import { samplePath } from '../samples.ts'
import type { Stage } from '../stage.ts'
import { startNasiko2 } from './second.ts'

export const nasikoSecondStage: Stage = {
  title: 'Nasiko, second generation (generation: 2)',
  async start({ root, port }) {
    const nasiko = await startNasiko2({ root, port })
    const account = nasiko.addAccount('ada')
    const id = await nasiko.addAgent({ owner: 'ada', name: 'search', seed: samplePath('agents/search') })
    const auth = '-H "authorization: Bearer $NASIKO_TOKEN"'
    const agent = `${nasiko.url}/api/agents/${id}`
    return {
      url: nasiko.url,
      facts: [
        ['NASIKO_BASE_URL', nasiko.url],
        ['NASIKO_TOKEN', account.token],
        ['agent search', `${id}, ${nasiko.agentUrl(id)}/`],
      ],
      tries: [
        `curl -i ${nasiko.agentUrl(id)}/`,
        `export NASIKO_TOKEN=${account.token}`,
        'git -C agents archive --format=zip -o "$PWD/search.zip" HEAD:agents/search',
        `curl -X PUT ${agent}/update ${auth} -F source=@search.zip -F version=minor`,
        `curl ${agent}/versions ${auth}`,
        `curl -X POST ${agent}/rollback ${auth}`,
      ],
      close: () => nasiko.close(),
    }
  },
}
