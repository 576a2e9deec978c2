import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { agentTree, startWorld, supportConfig, type World } from '../support/world.ts'

let world: World
let proxy: Server
let passed: string[]
/** Where on this machine the proxy finds a name. */
const reachedAt = new Map<string, number>()

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
    const [, port] = (incoming.url ?? '').split(':')
    const onward = connect(reachedAt.get(incoming.url ?? '') ?? Number(port), '127.0.0.1', () => {
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
  const front = await startTls('nasiko.test', world.nasiko.url)
  reachedAt.set('nasiko.test:443', front.port)
  try {
    const result = await world.run({
      env: { HTTPS_PROXY: address(), NASIKO_BASE_URL: 'https://nasiko.test', NODE_EXTRA_CA_CERTS: front.certificate },
    })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs['decision']).toBe('deployed')
    expect(hosts()).toEqual(['nasiko.test:443'])
  } finally {
    front.close()
  }
})

it.each(['nasiko', 'github'] as const)(
  'says at once that the certificate of %s is not trusted, and what to do',
  async (whose) => {
    const front = await startTls(`${whose}.test`, world[whose].url)
    reachedAt.set(`${whose}.test:443`, front.port)
    const variable = { nasiko: 'NASIKO_BASE_URL', github: 'GITHUB_API_URL' }[whose]
    try {
      const result = await world.run({
        env: { HTTPS_PROXY: address(), NASIKO_BASE_URL: world.nasiko.url, [variable]: `https://${whose}.test` },
      })

      expect(result.exitCode).toBe(1)
      expect(result.stdout).toMatch(
        new RegExp(`the certificate of ${whose}\\.test is not trusted.*NODE_EXTRA_CA_CERTS`),
      )
      // Each request once.
      expect(passed.length).toBeLessThan(4)
    } finally {
      front.close()
    }
  },
)

/** Ends TLS under a name, and passes what is inside on to a server without. */
async function startTls(name: string, url: string): Promise<{ port: number; certificate: string; close: () => void }> {
  const [key, certificate] = [join(world.folder, `${name}.key`), join(world.folder, `${name}.pem`)]
  const about = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '1']
  execFileSync(
    'openssl',
    [...'req -x509 -newkey rsa:2048 -nodes -keyout'.split(' '), key, '-out', certificate, ...about],
    { stdio: 'ignore' },
  )
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) => {
    const onward = connect(Number(new URL(url).port), '127.0.0.1')
    onward.pipe(socket).pipe(onward)
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, certificate, close: () => server.close() }
}

it('goes past the proxy where NO_PROXY says so', async () => {
  const result = await world.run({
    env: { HTTP_PROXY: address(), NO_PROXY: '127.0.0.1', NASIKO_BASE_URL: world.nasiko.url },
  })

  expect(result.exitCode, result.stdout).toBe(0)
  expect(hosts()).toEqual([])
})
