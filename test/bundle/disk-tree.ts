import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Content } from '../support/repository.ts'

/** What is on disk below a folder: content, link or executable, by path. */
export function readTree(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isSymbolicLink()) found[name] = `→ ${readlinkSync(path)}`
    else if (entry.isFile()) found[name] = `${lstatSync(path).mode & 0o100 ? 'x' : '-'} ${digestOf(readFileSync(path))}`
  }
  return found
}

export function expectedTree(tree: Readonly<Record<string, Content>>): Record<string, string> {
  const described = Object.entries(tree).map(([path, content]) => {
    if (typeof content === 'string' || Buffer.isBuffer(content)) return [path, `- ${digestOf(content)}`]
    return [path, 'link' in content ? `→ ${content.link}` : `x ${digestOf(content.executable)}`]
  })
  return Object.fromEntries(described) as Record<string, string>
}

export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
