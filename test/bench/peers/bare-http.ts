import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

/** `node bare-http.ts <port> <secret>`: the least that a receiver of webhooks does: body, signature, 202. Nothing is kept. */
const [port, secret = ''] = process.argv.slice(2)
createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(Buffer.concat(chunks)).digest('hex')}`)
    const given = Buffer.from(String(request.headers['x-hub-signature-256'] ?? ''))
    const isSigned = expected.length === given.length && timingSafeEqual(expected, given)
    response.writeHead(isSigned ? 202 : 401).end()
  })
}).listen(Number(port), '127.0.0.1')
