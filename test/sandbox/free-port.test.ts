import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { freePort } from '../../app/sandbox/free-port.ts'

it('is none that the kernel gives to whoever asks for any, and one that can be listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()))

  for (const port of ports) {
    expect(port).toBeLessThan(32_768)
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
  }
})
