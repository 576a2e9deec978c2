import type { GitHub } from './io.ts'

/** The part of Octokit that is used: anything with `request`, whoever authenticates it. */
export interface OctokitLike {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, string | number | undefined>; url: string }>
}

/** Narrows an Octokit to one repository. */
export function gitHubFor(octokit: OctokitLike, repository: { owner: string; repo: string; webUrl: string }): GitHub {
  const { owner, repo, webUrl } = repository
  return {
    owner,
    repo,
    webUrl,
    async request(route, parameters) {
      const place = route.includes('{owner}') ? { owner, repo } : {}
      const { status, data, headers } = await octokit.request(route, { ...place, ...parameters })
      return { status, data, headers }
    },
    async download(route, parameters) {
      const { data } = await octokit.request(route, {
        owner,
        repo,
        ...parameters,
        request: { parseSuccessResponseBody: false },
      })
      if (data instanceof ReadableStream) return data
      throw new TypeError(`${route} gave no stream`)
    },
  }
}
