import { styleText } from 'node:util'
import type { Runner } from '../action/runner.ts'
import type { Paint } from './show.ts'

/** A runner at a terminal: what a person reads while it works goes to stderr, outputs are kept for the end. */
export interface Terminal extends Runner {
  readonly outputs: Record<string, string>
}

export function createTerminal(
  given: Pick<Runner, 'env' | 'workspace' | 'readContext'> & {
    inputs: Readonly<Record<string, string>>
    say: (text: string) => void
    paint: Paint
  },
): Terminal {
  const { inputs, say, paint } = given
  const outputs: Record<string, string> = {}
  const place = (at: { file?: string; startLine?: number; startColumn?: number } | undefined) =>
    at?.file === undefined ? '' : `${at.file}:${at.startLine}:${at.startColumn} `
  return {
    ...given,
    outputs,
    getInput: (name) => inputs[name] ?? '',
    setSecret() {
      // What is printed passes `redact`; a terminal has no mask of its own.
    },
    setOutputs: (given) => void Object.assign(outputs, given),
    setFailed() {
      // The exit code is made from the outputs.
    },
    debug() {
      // Shown only where somebody asks for it, and then as info.
    },
    info: (message) => say(paint('dim', message)),
    notice() {
      // The result says it.
    },
    warning(message, at) {
      // Warnings of an agent are part of its result.
      if (at?.title === undefined || at.file !== undefined) say(paint('yellow', `! ${place(at)}${message}`))
    },
    error(message, at) {
      // So do errors of an agent, whose title is `agent: decision`.
      if (!at?.title?.includes(': ')) say(paint('red', `${place(at)}${message}`))
    },
    startGroup: (name) => say(paint('bold', name)),
    endGroup() {
      // A terminal has no groups to close.
    },
    writeSummary() {
      // The result is shown instead.
    },
  }
}

export function painterFor(stream: NodeJS.WriteStream): Paint {
  return (colour, text) => styleText(colour, text, { stream })
}
