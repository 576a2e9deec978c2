import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { quantile } from '../measure.ts'

/** `node load.ts <url> <seconds> <body file> <signature> <prefix>`: what `wrk.lua` does, where wrk can't be had. Prints the same. */
const [url = '', seconds = '1', file = '', signature = '', prefix = ''] = process.argv.slice(2)
const connections = 10
const body = readFileSync(file)
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const times: number[] = []
let failed = 0
let count = 0
const began = performance.now()
const end = began + Number(seconds) * 1000

function send(): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-github-event': 'push',
    'x-hub-signature-256': signature,
    'x-github-delivery': `${prefix}${++count}`,
  }
  const sent = performance.now()
  return new Promise((resolve) => {
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      if ((response.statusCode ?? 500) >= 300) failed++
      response.resume().on('end', () => {
        times.push(performance.now() - sent)
        resolve()
      })
    })
    asked.on('error', () => {
      failed++
      resolve()
    })
    asked.end(body)
  })
}

async function sender(): Promise<void> {
  while (performance.now() < end) await send()
}

await Promise.all(Array.from({ length: connections }, sender))
const sorted = times.sort((a, b) => a - b)
const took = (performance.now() - began) / 1000
const figures = { count: times.length, seconds: took, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), failed }
process.stdout.write(`${JSON.stringify(figures)}\n`)
agent.destroy()
