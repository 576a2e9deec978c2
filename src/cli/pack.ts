import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Prepared } from '../action/prepare.ts'
import { selectAgents } from '../agent.ts'
import type { Entry } from '../bundle/bundle.ts'
import { formatSize } from '../config/units.ts'
import { packContent } from '../content.ts'
import type { Paint } from './show.ts'

/** What would ship of one agent. */
export interface Packed {
  readonly agent: string
  readonly digest: string
  readonly size: number
  /** Where it was kept; undefined when it was only looked at. */
  readonly path: string | undefined
  readonly warnings: readonly string[]
  readonly files: readonly Pick<Entry, 'path' | 'included' | 'reason' | 'pattern' | 'size' | 'digest'>[]
}

/** Packs as a deploy would, the same bytes, and asks nobody. */
export async function packAgents(prepared: Prepared, output: string | undefined): Promise<Packed[]> {
  const packed: Packed[] = []
  if (output !== undefined) await mkdir(output, { recursive: true })
  for (const agent of selectAgents(prepared.config, prepared.agents)) {
    const content = await packContent(agent, prepared.head, prepared.io)
    // Where the platform fetches the source itself, nothing is packed.
    if (!content) continue
    const { bundle } = content
    const path = output === undefined ? undefined : join(output, basename(bundle.path))
    if (path !== undefined) await copyFile(bundle.path, path)
    const { digest, size, warnings, entries } = bundle
    const files = entries.map((entry) => ({ ...only(entry), ...(entry.digest ? { digest: entry.digest } : {}) }))
    packed.push({ agent: agent.name, digest, size, path, warnings, files })
  }
  return packed
}

function only({ path, included, reason, pattern, size }: Entry) {
  return { path, included, reason, size, ...(pattern ? { pattern } : {}) }
}

export function renderPacked(packed: readonly Packed[], how: { list: boolean; paint: Paint }): string {
  return packed.map((one) => `${renderOne(one, how).join('\n')}\n`).join('')
}

function renderOne({ agent, digest, size, path, warnings, files }: Packed, how: { list: boolean; paint: Paint }) {
  const { paint, list } = how
  const inside = files.filter(({ included }) => included)
  return [
    `${paint('bold', agent)}  ${inside.length} files ship, ${files.length - inside.length} left out, ${formatSize(size)}`,
    `  ${digest}`,
    ...(path === undefined ? [] : [`  ${path}`]),
    ...warnings.map((warning) => `  ${paint('yellow', `! ${warning}`)}`),
    ...(list ? files.map((file) => fileLine(file, paint)) : []),
  ]
}

function fileLine({ path, included, reason, pattern, size }: Packed['files'][number], paint: Paint): string {
  const why = paint('dim', `(${reason}${pattern ? ` ${pattern}` : ''})`)
  return `  ${included ? paint('green', '+') : paint('red', '-')} ${path} ${formatSize(size)} ${why}`
}
