import { appendFileSync } from 'node:fs'
import type { Environment } from './connect.ts'

/**
 * Outputs in the runner's file (GitHub Docs: "Workflow commands", setting an output parameter), in one go: the toolkit
 * opens the file for each, and loads all of Node's cryptography for a delimiter that a value of one line does not need.
 * Nothing outside of a workflow, where nobody reads them.
 */
export function writeOutputs(outputs: Readonly<Record<string, string>>, env: Environment): void {
  const file = env['GITHUB_OUTPUT']
  if (!file) return
  const lines = Object.entries(outputs).map(([name, value]) =>
    /[\r\n]/.test(value) ? long(name, value) : `${name}=${value}`,
  )
  appendFileSync(file, lines.map((line) => `${line}\n`).join(''))
}

/** No value can end itself: nobody knows the delimiter beforehand. */
function long(name: string, value: string): string {
  const delimiter = `ghadelimiter_${globalThis.crypto.randomUUID()}`
  return `${name}<<${delimiter}\n${value}\n${delimiter}`
}
