import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { freePort } from '../../app/sandbox/free-port.ts'

const server = join(import.meta.dirname, '../../app/server.ts')
/** A start that takes longer is no start. */
const patienceMs = 30_000

/**
 * Milliseconds from spawning the app to its first `200` of `/readyz`; it is ended in order afterwards. The second start with
 * the same DATA_DIR has a warm compile cache.
 */
export async function measureStart(env: Readonly<Record<string, string>>): Promise<number> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [server], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', HOST: '127.0.0.1', ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const closed = once(child, 'close')
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`the app ended with ${child.exitCode}`)
      if (performance.now() - began > patienceMs) throw new Error('the app did not get ready')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return performance.now() - began
  } finally {
    child.kill('SIGTERM')
    await closed
  }
}

async function isReady(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}
