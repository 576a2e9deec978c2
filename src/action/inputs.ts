import * as z from 'zod/mini'
import '../config/key.ts'
import { AgentName, VersionChoice } from '../config/schema.ts'
import { parseDuration } from '../config/units.ts'
import { fail } from '../errors.ts'

const Flag = z.pipe(
  z.string().check(z.regex(/^(true|false)$/i, 'use `true` or `false`')),
  z.transform((text: string) => text.toLowerCase() === 'true'),
)
const Text = z.string()
const Names = z.pipe(
  z.string(),
  z.transform((text: string, context) => {
    const names = partsOf(text, /[,\n]/)
    for (const name of names) {
      if (AgentName.safeParse(name).success) continue
      context.issues.push({ code: 'custom', input: text, message: `"${name}" is not a name of an agent` })
    }
    return names
  }),
)
const Lines = z.pipe(
  z.string(),
  z.transform((text: string) => partsOf(text, '\n')),
)
const Duration = z
  .string()
  .check(z.refine((text) => parseDuration(text) !== undefined, 'use a duration such as `15m` or `90s`'))

/** The Action's inputs by the names of `action.yml`, which a test compares with this. */
export const Inputs = z.object({
  command: z._default(z.enum(['deploy', 'rollback', 'plan', 'status', 'validate']), 'deploy'),
  config: z._default(Text, '.github/agents.yml'),
  agent: z.optional(Names),
  platform: z.optional(Text),
  'agent-id': z.optional(Text),
  path: z.optional(Text),
  'base-url': z.optional(z.url('use a web address')),
  settings: z.optional(Text),
  token: z.optional(Text),
  'github-token': z.optional(Text),
  version: z.optional(VersionChoice),
  strategy: z.optional(z.enum(['rolling', 'blue-green'])),
  release: z.optional(Flag),
  'cleanup-old': z.optional(Flag),
  include: z.optional(Lines),
  exclude: z.optional(Lines),
  environment: z.optional(Text),
  'target-version': z.optional(Text),
  reason: z.optional(Text),
  'cleanup-failed': z._default(Flag, true),
  wait: z._default(Flag, true),
  timeout: z.optional(Duration),
  'on-failure': z.optional(z.enum(['rollback', 'keep'])),
})
export type Inputs = z.infer<typeof Inputs>

/** Inputs whose values must never be shown. */
export const secretInputs = ['token', 'github-token'] as const

/** Reads every input at once. Throws `input-invalid` naming the first that is wrong, with its value unless it is secret. */
export function readInputs(getInput: (name: string) => string): Inputs {
  const raw = Object.fromEntries(Object.keys(Inputs.shape).map((name) => [name, getInput(name).trim()]))
  // An input that was left empty was not given: then the config file decides.
  const parsed = Inputs.safeParse(Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== '')))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const input = String(issue?.path[0] ?? '')
  const secret = secretInputs.some((name) => name === input)
  throw fail('input-invalid', {
    input,
    value: secret ? '***' : (raw[input] ?? ''),
    problem: issue?.message ?? 'it is not valid',
  })
}

function partsOf(text: string, separator: string | RegExp): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean)
}
