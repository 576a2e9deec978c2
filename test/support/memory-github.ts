import type { GitHub } from '../../src/io.ts'

interface Deployment {
  readonly id: number
  readonly task: unknown
  readonly environment: unknown
  readonly created_at: string
  readonly payload: unknown
  /** Newest first. */
  readonly statuses: { state: unknown; description: unknown; environment_url: unknown; created_at: string }[]
}

/** The ledger's part of GitHub in memory, for tables that run a story many times; the emulated GitHub judges the requests. */
export function memoryGitHub(): GitHub & { readonly deployments: readonly Deployment[] } {
  const deployments: Deployment[] = []
  const at = () => '2026-01-01T00:00:00Z'
  const reply = (status: number, data: unknown) => ({ status, data: structuredClone(data), headers: {} })
  return {
    deployments,
    owner: 'acme',
    repo: 'agents',
    webUrl: 'https://github.example/acme/agents',
    async request(route, parameters = {}) {
      const found = deployments.find(({ id }) => id === parameters['deployment_id'])
      switch (route) {
        case 'GET /repos/{owner}/{repo}/deployments': {
          const size = Number(parameters['per_page'])
          const from = (Number(parameters['page']) - 1) * size
          const all = deployments.filter(({ environment }) => environment === parameters['environment']).toReversed()
          return reply(200, all.slice(from, from + size))
        }
        case 'POST /repos/{owner}/{repo}/deployments': {
          const { task, environment, payload } = parameters
          const id = deployments.length + 1
          deployments.push({ id, task, environment, payload: structuredClone(payload), created_at: at(), statuses: [] })
          return reply(201, { id })
        }
        case 'GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses':
          return reply(200, found?.statuses)
        case 'POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses': {
          const { state, description, environment_url = '' } = parameters
          found?.statuses.unshift({ state, description, environment_url, created_at: at() })
          return reply(201, {})
        }
        default:
          throw new Error(`the ledger does not ask for ${route}`)
      }
    },
    download: (route) => Promise.reject(new Error(`the ledger does not ask for ${route}`)),
  }
}
