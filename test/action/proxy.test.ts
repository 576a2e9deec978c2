import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { agentTree, startWorld, supportConfig, type World } from '../support/world.ts'

let world: World
let proxy: Server
let passed: string[]

beforeEach(async () => {
  world = await startWorld()
  await world.push({
    tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello') },
    message: 'feat: begin',
  })
  passed = []
  proxy = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '')
    passed.push(url.host)
    const onward = request(url, { method: incoming.method, headers: incoming.headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  proxy.on('connect', (incoming, socket) => {
    passed.push(incoming.url ?? '')
    const [host = '', port = ''] = (incoming.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
})
afterEach(async () => {
  proxy.closeAllConnections()
  proxy.close()
  await world.close()
})

const address = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
const hosts = () => [...new Set(passed)].sort()
const hostOf = (url: string) => new URL(url).host

it('goes through the proxy that the environment names, to GitHub and to the platform', async () => {
  const result = await world.run({ env: { http_proxy: address(), NASIKO_BASE_URL: world.nasiko.url } })

  expect(result.exitCode, result.stdout).toBe(0)
  expect(hosts()).toEqual([hostOf(world.github.url), hostOf(world.nasiko.url)].sort())
})

it('goes through HTTPS_PROXY to what is reached by TLS', async () => {
  const step = await world.start({ env: { HTTPS_PROXY: address(), NASIKO_BASE_URL: 'https://nasiko.invalid' } })
  while (!passed.includes('nasiko.invalid:443')) await sleep(20)

  step.kill('SIGTERM')
  await step.done

  expect(hosts()).toEqual(['nasiko.invalid:443'])
})

it('goes past the proxy where NO_PROXY says so', async () => {
  const result = await world.run({
    env: { HTTP_PROXY: address(), NO_PROXY: '127.0.0.1', NASIKO_BASE_URL: world.nasiko.url },
  })

  expect(result.exitCode, result.stdout).toBe(0)
  expect(hosts()).toEqual([])
})
