import { seedRepository } from '../samples.ts'
import type { Stage } from '../stage.ts'
import { startGitHub } from './server.ts'

export const githubStage: Stage = {
  title: 'GitHub',
  async start({ root, port }) {
    const github = await startGitHub({ root, port })
    const { fullName, cloneUrl, token } = await seedRepository(github, { owner: 'acme', name: 'agents', login: 'ada' })
    return {
      url: github.url,
      facts: [
        ['GITHUB_API_URL', github.apiUrl],
        ['GITHUB_TOKEN', `${token} (@ada, who maintains ${fullName})`],
        ['repository', cloneUrl],
      ],
      tries: [
        `git clone ${cloneUrl.replace('://', `://x:${token}@`)}`,
        `curl -H 'authorization: Bearer ${token}' ${github.apiUrl}/repos/${fullName}/commits/main`,
      ],
      close: () => github.close(),
    }
  },
}
