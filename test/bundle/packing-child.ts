import { readdirSync } from 'node:fs'
import { packBundle } from '../../src/bundle/pack.ts'

/**
 * `node packing-child.ts <folder> <out> tar|zip`: packs all of a folder in a thread, says how that went, and is expected to
 * end by itself.
 */
const [root = '', out = '', format] = process.argv.slice(2)
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => ({ path: `${entry.parentPath}/${entry.name}`.slice(root.length + 1), state: 'tracked' as const }))
const packing = packBundle({
  checkout: { root, files },
  agentPath: '',
  rules: { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined },
  format: format === 'zip' ? 'zip' : 'tar',
  out,
  agent: 'bot',
  platform: 'Nullspace',
  inspect: undefined,
  signal: new AbortController().signal,
  where: 'thread',
})
await packing.then(
  ({ digest }) => console.log(digest),
  (error: unknown) => console.log(error instanceof Error && 'code' in error ? error.code : String(error)),
)
