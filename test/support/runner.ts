import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

/**
 * A runner for one step of a JavaScript action: `action.yml` read, inputs and files and variables set as GitHub's runner
 * sets them, `dist/` started with Node 24 in an environment that has nothing else in it.
 */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const node24 = join(root, 'node_modules/node/bin/node')

/** Nothing listens on the discard port: a request that was not meant to be made fails at once. */
export const deadUrl = 'http://127.0.0.1:9'

const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
  runs: z.object({ using: z.literal('node24'), main: z.string() }),
})
export const actionFile = ActionFile.parse(parse(readFileSync(join(root, 'action.yml'), 'utf8')))

export interface Step {
  /** Folder for the runner's own files; outside of the workspace. */
  readonly folder: string
  readonly workspace: string
  readonly inputs?: Readonly<Record<string, string>>
  /** What `secrets.…` hands to the step. */
  readonly env?: Readonly<Record<string, string>>
  readonly github?: { readonly apiUrl: string; readonly url: string; readonly token: string }
  readonly repository?: string
  readonly event?: { readonly name: string; readonly payload: unknown; readonly ref?: string }
  readonly actor?: string
  readonly runId?: number
  /** Values that may appear nowhere: the run is refused when one does. */
  readonly secrets?: readonly string[]
}

export interface Command {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly message: string
}

export interface Result {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** The `::name properties::message` lines, decoded. */
  readonly commands: readonly Command[]
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

export interface Running {
  readonly pid: number | undefined
  kill(signal: NodeJS.Signals): void
  /** Resolves once the log has a line that matches. */
  says(pattern: RegExp): Promise<void>
  readonly done: Promise<Result>
}

export async function runStep(step: Step): Promise<Result> {
  return await startStep(step).done
}

export function startStep(step: Step): Running {
  const files = filesFor(step)
  const child = spawn(node24, [join(root, actionFile.runs.main)], {
    cwd: step.workspace,
    env: environmentOf(step, files),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = { stdout: '', stderr: '' }
  let heard = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log.stdout += text
    heard()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (log.stderr += text))
  const done = new Promise<Result>((settle, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, signal) => {
      const result = { exitCode, signal, ...log, ...readBack(files, log.stdout) }
      const leaks = leaksIn(result, step)
      if (leaks.length > 0) reject(new Error(`A secret is shown in ${leaks.join(', ')}`))
      else settle(result)
    })
  })
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    done,
    says: (pattern) =>
      new Promise((settle, reject) => {
        heard = () => pattern.test(log.stdout) && settle()
        heard()
        void done.then(
          ({ stdout }) => reject(new Error(`The step ended before it said ${pattern}:\n${stdout}`)),
          reject,
        )
      }),
  }
}

type Files = Readonly<Record<'output' | 'env' | 'path' | 'state' | 'step_summary' | 'event' | 'temp' | 'home', string>>

function filesFor(step: Step): Files {
  mkdirSync(step.folder, { recursive: true })
  const folder = mkdtempSync(join(step.folder, 'step-'))
  const at = (name: string) => join(folder, name)
  for (const name of ['output', 'env', 'path', 'state', 'step_summary']) writeFileSync(at(name), '')
  writeFileSync(at('event.json'), JSON.stringify(step.event?.payload ?? {}))
  for (const name of ['temp', 'home']) mkdirSync(at(name))
  const plain = { output: at('output'), env: at('env'), path: at('path'), state: at('state') }
  return { ...plain, step_summary: at('step_summary'), event: at('event.json'), temp: at('temp'), home: at('home') }
}

/** GitHub Docs, "Variables reference"; `INPUT_` names keep their dashes. */
function environmentOf(step: Step, files: Files): Record<string, string> {
  const token = step.github?.token ?? ''
  const inputs = Object.entries(actionFile.inputs).map(([name, input]) => {
    const value = step.inputs?.[name] ?? input.default ?? ''
    return [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value.replace('${{ github.token }}', token)]
  })
  const unknown = Object.keys(step.inputs ?? {}).filter((name) => !(name in actionFile.inputs))
  if (unknown.length > 0) throw new Error(`action.yml has no input ${unknown.join(', ')}`)
  return {
    ...Object.fromEntries(inputs),
    PATH: `${dirname(node24)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: files.home,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: files.output,
    GITHUB_ENV: files.env,
    GITHUB_PATH: files.path,
    GITHUB_STATE: files.state,
    GITHUB_STEP_SUMMARY: files.step_summary,
    GITHUB_EVENT_PATH: files.event,
    GITHUB_EVENT_NAME: step.event?.name ?? 'workflow_dispatch',
    GITHUB_REPOSITORY: step.repository ?? 'acme/agents',
    GITHUB_REF: step.event?.ref ?? 'refs/heads/main',
    GITHUB_RUN_ID: String(step.runId ?? 1),
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'deploy',
    GITHUB_ACTION: '__self',
    GITHUB_ACTOR: step.actor ?? 'ada',
    GITHUB_TRIGGERING_ACTOR: step.actor ?? 'ada',
    GITHUB_WORKSPACE: step.workspace,
    GITHUB_API_URL: step.github?.apiUrl ?? deadUrl,
    GITHUB_GRAPHQL_URL: deadUrl,
    GITHUB_SERVER_URL: step.github?.url ?? deadUrl,
    RUNNER_TEMP: files.temp,
    RUNNER_TOOL_CACHE: files.temp,
    ...step.env,
  }
}

function readBack(files: Files, stdout: string): Pick<Result, 'commands' | 'outputs' | 'summary'> {
  return {
    commands: stdout.split('\n').flatMap((line) => parseCommand(line) ?? []),
    outputs: parseOutputs(readFileSync(files.output, 'utf8')),
    summary: readFileSync(files.step_summary, 'utf8'),
  }
}

function parseCommand(line: string): Command | undefined {
  const match = /^::([\w-]+)(?: ([^:]*(?:%3A[^:]*)*))?::(.*)$/.exec(line)
  if (!match) return undefined
  const [, name = '', list = '', message = ''] = match
  const pairs = list
    .split(',')
    .filter(Boolean)
    .map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))])
  return { name, properties: Object.fromEntries(pairs) as Record<string, string>, message: decode(message) }
}

function decode(text: string): string {
  const plain: Record<string, string> = { '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',', '%25': '%' }
  return text.replace(/%(?:0D|0A|3A|2C|25)/g, (code) => plain[code] ?? code)
}

/** `name=value` lines and `name<<END … END` blocks. */
function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const block = /^([^=]+?)<<(.+)$/.exec(line)
    if (block) {
      const end = lines.indexOf(block[2] ?? '', at + 1)
      outputs[block[1] ?? ''] = lines.slice(at + 1, end).join('\n')
      at = end
    } else if (line.includes('=')) outputs[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
  }
  return outputs
}

/** The runner hides in the log what `add-mask` named; nothing hides what is in outputs, the summary, or before the mask. */
function leaksIn(result: Result, step: Step): string[] {
  const log = result.stdout.replace(/^::add-mask::.*$/gm, '')
  const places = { log, stderr: result.stderr, outputs: JSON.stringify(result.outputs), summary: result.summary }
  const secrets = [...(step.secrets ?? []), step.inputs?.['token'] ?? '', step.github?.token ?? '']
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
  return Object.entries(places)
    .filter(([, text]) => forms.some((form) => text.includes(form)))
    .map(([name]) => name)
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
