import { z } from 'zod'
import { AgentName, VersionChoice } from '../config/schema.ts'
import { parseDuration } from '../config/units.ts'
import { fail } from '../errors.ts'

/** An input that was left empty was not given: then the config file decides. */
const absent = (value: unknown) => (value === '' ? undefined : value)
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(absent, schema.optional())

const Flag = z
  .string()
  .regex(/^(true|false)$/i, 'use `true` or `false`')
  .transform((text) => text.toLowerCase() === 'true')
const Text = z.string()
const Names = z.string().transform((text, context) => {
  const names = text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter(Boolean)
  for (const name of names) {
    if (!AgentName.safeParse(name).success)
      context.addIssue({ code: 'custom', message: `"${name}" is not a name of an agent` })
  }
  return names
})
const Lines = z.string().transform((text) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean),
)
const Duration = z.string().refine((text) => parseDuration(text) !== undefined, 'use a duration such as `15m` or `90s`')

/** The Action's inputs by the names of `action.yml`, which a test compares with this. */
export const Inputs = z.object({
  command: z.preprocess(absent, z.enum(['deploy', 'rollback', 'plan', 'status', 'validate']).default('deploy')),
  config: z.preprocess(absent, Text.default('.github/agents.yml')),
  agent: optional(Names),
  platform: optional(Text),
  'agent-id': optional(Text),
  path: optional(Text),
  'base-url': optional(z.url('use a web address')),
  settings: optional(Text),
  token: optional(Text),
  'github-token': optional(Text),
  version: optional(VersionChoice),
  strategy: optional(z.enum(['rolling', 'blue-green'])),
  release: optional(Flag),
  'cleanup-old': optional(Flag),
  include: optional(Lines),
  exclude: optional(Lines),
  environment: optional(Text),
  'target-version': optional(Text),
  reason: optional(Text),
  'cleanup-failed': z.preprocess(absent, Flag.default(true)),
  wait: z.preprocess(absent, Flag.default(true)),
  timeout: optional(Duration),
  'on-failure': optional(z.enum(['rollback', 'keep'])),
})
export type Inputs = z.infer<typeof Inputs>

/** Inputs whose values must never be shown. */
export const secretInputs = ['token', 'github-token'] as const

/** Reads every input at once. Throws `input-invalid` naming the first that is wrong, with its value unless it is secret. */
export function readInputs(getInput: (name: string) => string): Inputs {
  const raw = Object.fromEntries(Object.keys(Inputs.shape).map((name) => [name, getInput(name).trim()]))
  const parsed = Inputs.safeParse(raw)
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
