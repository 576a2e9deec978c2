import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ensureDebianPackage } from './debian.ts'

/** Why system calls can't be counted here; undefined when they can. In CI it throws instead. */
export const missingStrace = await ensureDebianPackage('strace', worksHere)

/** Some containers have it and forbid it. */
function worksHere(): boolean {
  try {
    execFileSync('strace', ['-c', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What to put before a command so that `counted(file)` can tell its system calls, those of its children included. */
export function straced(file: string, calls: string): readonly string[] {
  return ['strace', '-f', '-c', '-U', 'calls,name', '-o', file, '-e', `trace=${calls}`]
}

export function counted(file: string): ReadonlyMap<string, number> {
  const lines = readFileSync(file, 'utf8').matchAll(/^\s*(\d+)\s+(?!total$)(\w+)$/gm)
  return new Map([...lines].map(([, count, name = '']) => [name, Number(count)]))
}
