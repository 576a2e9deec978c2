import type { Environment } from './connect.ts'

const variables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const

/**
 * Unlike git and curl, Node goes through a proxy only when it is told to. Returns a warning where this Node can't be told
 * once it runs (`http.setGlobalProxyFromEnv`: Node 24.14 and later).
 */
export async function useProxy(env: Environment): Promise<string | undefined> {
  const wanted = variables.some((name) => env[name])
  if (!wanted || env['NODE_USE_ENV_PROXY'] === '1') return undefined
  const http: { setGlobalProxyFromEnv?: (from: Environment) => unknown } = await import('node:http')
  if (!http.setGlobalProxyFromEnv) {
    return 'A proxy is set, but this Node does not use it by itself: set NODE_USE_ENV_PROXY=1 as well.'
  }
  http.setGlobalProxyFromEnv(env)
  return undefined
}
