import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range from which Linux gives ports to whoever asks for any (32768 on; ip_local_port_range). */
const lowest = 20_000
const highest = 32_000
const mostTries = 100

/**
 * A port for a process that will listen on it in a moment. The kernel's own choice won't do: once it is let go, the next who
 * asks for any port may get it, and then looks like the process that is waited for.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (await isFree(port)) return port
  }
  throw new Error(`No free port between ${lowest} and ${highest} in ${mostTries} tries`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
