import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { unzip } from '../../bundle/unzip.ts'
import { formatSize } from '../../config/units.ts'
import type { Attachment } from '../platform.ts'

/** Qoder's limits of a skill's archive, packed and unpacked. */
const largestZip = 5 * 1024 * 1024
const largestUnpacked = 50 * 1024 * 1024

/** The name that Qoder will give the skill, or the sentence why it will not take it. */
export function inspectSkill(attachment: Attachment): { readonly name: string } | { readonly problem: string } {
  const { folder, path, size } = attachment
  if (size > largestZip) {
    const most = formatSize(largestZip)
    return { problem: `the skill "${folder}" is ${formatSize(size)} as a zip; Qoder takes ${most} at most` }
  }
  const text = readSkillFile(path)
  if (text === undefined) return { problem: `the skill "${folder}" has no "SKILL.md" in it, or unpacks to over 50 MB` }
  const name = nameIn(text)
  if (name === undefined)
    return { problem: `"${folder}/SKILL.md" gives no "name" between two lines of "---" at its top` }
  return { name }
}

function readSkillFile(path: string): string | undefined {
  try {
    return unzip(readFileSync(path), largestUnpacked).get('SKILL.md')?.toString('utf8')
  } catch {
    // Unpacked it is too large: the archive itself is ours, and whole.
    return undefined
  }
}

function nameIn(text: string): string | undefined {
  const block = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1]
  if (block === undefined) return undefined
  try {
    const matter: unknown = parse(block)
    const name = typeof matter === 'object' && matter !== null && 'name' in matter ? matter.name : undefined
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}
