import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { root } from './runner.ts'

/** One of our own source files, as far as the rules of architecture look at it. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly lines: number
  /** Without comments and without the content of plain strings. */
  readonly code: string
  /** Plain strings, in order. */
  readonly strings: readonly string[]
  readonly imports: readonly Import[]
}

export interface Import {
  readonly from: string
  /** Path of the file where it is one of ours. */
  readonly file: string | undefined
  /** Gone at run time. */
  readonly typeOnly: boolean
}

export function readSources(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .sort()
      .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8'))),
  )
}

export function sourceFile(path: string, text: string): SourceFile {
  const strings: string[] = []
  const code = text.replace(
    /\/\*[\s\S]*?\*\/|(?<![:\\'"`])\/\/.*$|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gm,
    (found) => {
      if (found.startsWith('/')) return ''
      strings.push(found.slice(1, -1))
      return "''"
    },
  )
  return { path, lines: text.split('\n').length - 1, code, strings, imports: importsOf(path, text) }
}

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = []
  const statement = /^(?:import|export)\s+(type\s+)?([^;'"]*?)\s*from\s+['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm
  for (const [, type, names = '', source, lazy] of text.matchAll(statement)) {
    const from = source ?? lazy ?? ''
    const inBraces = /^\{([\s\S]*)\}$/
      .exec(names)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const allTypes = inBraces?.every((name) => name.trim().startsWith('type ')) ?? false
    found.push({
      from,
      file: from.startsWith('.') ? posix.join(posix.dirname(path), from) : undefined,
      typeOnly: lazy === undefined && (type !== undefined || allTypes),
    })
  }
  return found
}
