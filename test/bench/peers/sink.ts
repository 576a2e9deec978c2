import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `node sink.ts <bytes>`: takes uploads of so many bytes and forgets them; prints its port. Ends with its parent. */
const wanted = Number(process.argv[2])
const server = createServer((request, response) => {
  let seen = 0
  request.on('data', (chunk: Buffer) => (seen += chunk.length))
  request.on('end', () => response.writeHead(seen === wanted ? 200 : 400).end())
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.resume().once('end', () => process.exit(0))
