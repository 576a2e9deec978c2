import { resolve } from 'node:path'
import { readInputs, secretInputs } from '../action/inputs.ts'
import { prepare } from '../action/prepare.ts'
import { createRedactor } from '../redact.ts'
import type { Arguments } from './arguments.ts'
import { packAgents, renderPacked } from './pack.ts'
import type { Paint } from './show.ts'
import type { Terminal } from './terminal.ts'

/** `bundle`: packs what would ship and shows it; `--list` every file and why it is in or out. */
export async function bundle(
  asked: Arguments,
  around: { terminal: Terminal; signal: AbortSignal; paint: Paint },
): Promise<string> {
  const { terminal, signal, paint } = around
  const inputs = readInputs((name) => (name === 'command' ? 'plan' : terminal.getInput(name)))
  const redact = createRedactor(secretInputs.map((name) => terminal.getInput(name)))
  const prepared = await prepare({ inputs, context: await terminal.readContext(), runner: terminal, redact, signal })
  const packed = await packAgents(prepared, asked.output === undefined ? undefined : resolve(asked.output))
  if (asked.json) return `${JSON.stringify({ version: 1, command: 'bundle', agents: packed }, undefined, 2)}\n`
  return renderPacked(packed, { list: asked.list, paint })
}
