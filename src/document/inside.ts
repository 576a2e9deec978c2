import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { deniedBy } from '../bundle/rules.ts'
import type { Checkout } from '../io.ts'

/** A text file of the agent. */
export interface Text {
  readonly text: string
  readonly state: 'tracked' | 'untracked'
}

/** A text file, or why it can't be had. */
export type Inside = Text | { readonly problem: string }

/** No prompt or configuration is near this; a larger file is a mistake. */
const mostBytes = 8 * 1024 * 1024

/** Reads files below the agent's path as the commit has them: nothing else, wherever a path or a link points. */
export function readerInside(checkout: Checkout, agentPath: string): (path: string) => Inside {
  const root = join(checkout.root, agentPath)
  const states = new Map(checkout.files.map(({ path, state }) => [path, state]))

  /** What keeps a normal path from being read. */
  function refusal(path: string, normal: string): string | undefined {
    if (posix.isAbsolute(normal) || normal.includes('\\') || normal === '..' || normal.startsWith('../'))
      return `"${path}" is outside of the agent's path`
    const state = states.get(agentPath === '' ? normal : `${agentPath}/${normal}`)
    if (state === undefined || !lstatSync(join(root, normal), { throwIfNoEntry: false }))
      return `there is no file "${path}" below the agent's path`
    if (state === 'ignored' || state === 'export-ignore') return `"${path}" is left out by git`
    const denied = deniedBy(normal)
    return denied === undefined ? undefined : `"${path}" never ships (${denied})`
  }

  return (path) => {
    const normal = posix.normalize(path)
    const problem = refusal(path, normal) ?? refusal(path, targetOf(root, normal) ?? '..')
    if (problem !== undefined) return { problem }
    const found = readText(path, join(root, normal))
    const untracked = states.get(agentPath === '' ? normal : `${agentPath}/${normal}`) === 'untracked'
    return 'problem' in found ? found : { ...found, state: untracked ? 'untracked' : 'tracked' }
  }
}

/** Where a path leads when links are followed, relative to the agent's root; undefined when nowhere. */
function targetOf(root: string, normal: string): string | undefined {
  const file = join(root, normal)
  if (!statSync(file, { throwIfNoEntry: false })) return undefined
  return relative(realpathSync(root), realpathSync(file)).split(sep).join('/')
}

function readText(path: string, file: string): Pick<Text, 'text'> | { readonly problem: string } {
  const stat = statSync(file)
  if (!stat.isFile()) return { problem: `"${path}" is not a file` }
  if (stat.size > mostBytes) return { problem: `"${path}" is larger than ${mostBytes / 1024 / 1024} MiB` }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)) }
  } catch {
    return { problem: `"${path}" is not UTF-8 text` }
  }
}
