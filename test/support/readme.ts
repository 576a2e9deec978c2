import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { root } from './runner.ts'

/** A fenced block of the README. */
export interface Example {
  /** The heading above it. */
  readonly heading: string
  readonly language: string
  readonly text: string
}

export const readme = readFileSync(join(root, 'README.md'), 'utf8')

export function examples(): Example[] {
  const found: Example[] = []
  for (const { index, 0: block, 1: indent = '', 2: language = '', 3: text = '' } of readme.matchAll(
    /^([ ]*)```(\w+)\n([\s\S]*?)^[ ]*```$/gm,
  )) {
    const heading = [...readme.slice(0, index).matchAll(/^#+ (.+)$/gm)].at(-1)?.[1] ?? ''
    if (block !== '') found.push({ heading, language, text: text.replace(new RegExp(`^${indent}`, 'gm'), '') })
  }
  return found
}

const Step = z.looseObject({
  uses: z.string().optional(),
  id: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
})
export const Workflow = z.looseObject({
  on: z.unknown(),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), z.looseObject({ steps: z.array(Step) })),
})
export type Workflow = z.infer<typeof Workflow>

export function workflows(): (Example & { readonly workflow: Workflow })[] {
  return examples().flatMap((example) => {
    const content: unknown = example.language === 'yaml' ? parse(example.text) : undefined
    const isWorkflow = typeof content === 'object' && content !== null && 'jobs' in content
    return isWorkflow ? [{ ...example, workflow: Workflow.parse(content) }] : []
  })
}

/** How workflows name the Action. */
export const ourAction = 'agent-deploy/agent-deploy@v0'

export function ourSteps(workflow: Workflow) {
  return Object.values(workflow.jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses === ourAction))
}
