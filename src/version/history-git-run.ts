import { spawn } from 'node:child_process'
import { fail } from '../errors.ts'

export interface GitRun {
  readonly directory: string
  readonly signal?: AbortSignal | undefined
}

export interface GitResult {
  readonly code: number
  readonly stdout: string
  /** The last line of what git said, for people; URLs without credentials. */
  readonly complaint: string
}

/** Errors of git carry a few lines at most; more than this is not kept. */
const keptErrorBytes = 16_384

/** Runs git once and collects its (short) output. A code that isn't 0 is for the caller to judge. */
export async function runGit(args: readonly string[], run: GitRun & { readonly input?: string }): Promise<GitResult> {
  const chunks: Buffer[] = []
  const { code, complaint } = await streamGit(args, { ...run, onData: (chunk) => chunks.push(chunk) })
  return { code, complaint, stdout: Buffer.concat(chunks).toString('utf8') }
}

/** Runs git once and hands its output on as it comes. */
export function streamGit(
  args: readonly string[],
  run: GitRun & { readonly onData: (chunk: Buffer) => void; readonly input?: string | undefined },
): Promise<Omit<GitResult, 'stdout'>> {
  const { directory, signal, onData, input } = run
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-C', directory, '--no-replace-objects', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    })
    // Whoever does not read it to its end says why with its code.
    child.stdin.on('error', () => undefined).end(input)
    const errors: Buffer[] = []
    let kept = 0
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        onData(chunk)
      } catch (error) {
        child.kill()
        reject(error)
      }
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (kept < keptErrorBytes) errors.push(chunk)
      kept += chunk.length
    })
    child.on('error', (error) => reject(cannotRun(error, signal)))
    child.on('close', (code) =>
      resolve({ code: code ?? 1, complaint: lastLine(Buffer.concat(errors).toString('utf8')) }),
    )
  })
}

function cannotRun(error: Error, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return fail('cancelled', { when: 'while the history was read' }, error)
  return fail(
    'history-incomplete',
    { from: 'the live commit', to: 'the new one', problem: 'git could not be run' },
    error,
  )
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line.replace(/\/\/[^/@\s]*@/g, '//').slice(0, 200)
}
