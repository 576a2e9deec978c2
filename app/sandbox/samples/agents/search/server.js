// Search agent: finds articles over HTTP, with nothing but what Node has.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'

const greeting = 'Ask me for an article: /search?q=refund'
const articles = JSON.parse(readFileSync(new URL('./articles.json', import.meta.url), 'utf8'))

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost')
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(body)}\n`)
  }
  if (url.pathname === '/health') return answer(200, { status: 'ok' })
  if (url.pathname === '/') return answer(200, { agent: 'search', says: greeting })
  if (url.pathname !== '/search') return answer(404, { error: 'not found' })
  const wanted = (url.searchParams.get('q') ?? '').toLowerCase()
  answer(200, { found: articles.filter(({ title, text }) => `${title} ${text}`.toLowerCase().includes(wanted)) })
}).listen(Number(process.env.PORT ?? 5000), process.env.HOST)
