import { crc32 } from 'node:zlib'
import { centralHeader, endOfDirectory, fileType, localHeader } from '../../src/bundle/zip-format.ts'

/** A small agent that passes Nasiko's rules; it needs no Python. `says` is what it answers. */
export function agentFiles(says: string): Record<string, string> {
  return {
    Dockerfile: 'FROM node:24-slim\nENV WHO="a test"\nEXPOSE 5000\nCMD ["node", "server.mjs"]\n',
    'docker-compose.yml': 'services:\n  bot:\n    build: .\n',
    'main.py': 'import os\nos.execvp("node", ["node", "server.mjs"])\n',
    'server.mjs': `
import { createServer } from 'node:http'
createServer((request, response) => {
  if (request.url === '/health') return response.end('ok')
  if (request.url === '/who') return response.end(process.env.WHO + ' ' + Object.keys(process.env).sort().join())
  if (request.url === '/exit') process.exit(3)
  setTimeout(() => response.end(${JSON.stringify(says)}), request.url === '/slow' ? 300 : 5)
}).listen(Number(process.env.PORT), process.env.HOST)
`,
  }
}

/** An archive whose names are taken as they are, good or bad. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer<ArrayBuffer> {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text)
    const size = content.length
    const entry = { name: path, crc: crc32(content), method: 0, compressed: size, size } as const
    const local = localHeader(entry, false)
    directory.push(centralHeader({ ...entry, unixMode: fileType | 0o644, offset }))
    parts.push(local, content)
    offset += local.length + size
  }
  const central = Buffer.concat(directory)
  const end = endOfDirectory({ count: directory.length, size: central.length, offset })
  return Buffer.concat([...parts, central, end])
}

/** Somebody updates an agent without Agent Deploy. */
export async function updateByHand(
  url: string,
  given: { token: string; part: 'file' | 'source'; files: Readonly<Record<string, string>>; version?: string },
): Promise<void> {
  const form = new FormData()
  form.set(given.part, new Blob([zipOf(given.files)]), 'by-hand.zip')
  if (given.version) form.set('version', given.version)
  const headers = { authorization: `Bearer ${given.token}` }
  const response = await fetch(url, { method: 'PUT', body: form, headers })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}
