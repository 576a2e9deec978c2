import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { send, types } from './send.ts'

const files: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/assets/style.css': { file: 'style.css', type: types.style },
  '/assets/live.js': { file: 'live.js', type: types.script },
  '/assets/icon.svg': { file: 'icon.svg', type: types.icon },
}

export type Assets = (request: IncomingMessage, response: ServerResponse) => boolean

/** The stylesheet, the script and the icon, read once; a browser asks whether its own are still good. */
export function createAssets(): Assets {
  const loaded = new Map(
    Object.entries(files).map(([path, { file, type }]) => {
      const body = readFileSync(new URL(file, import.meta.url), 'utf8')
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      return [path, { body, type, etag }]
    }),
  )
  return (request, response) => {
    const asset = loaded.get((request.url ?? '').split('?')[0] ?? '')
    if (!asset) return false
    const { body, type, etag } = asset
    const isKnown = request.headers['if-none-match'] === etag
    const headers = { etag, 'cache-control': 'no-cache' }
    send(response, { status: isKnown ? 304 : 200, type, body: isKnown ? '' : body, headers })
    return true
  }
}
