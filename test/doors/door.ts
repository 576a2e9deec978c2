import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { addCommit } from '../support/repository.ts'
import type { PlatformCase, PlatformRig, Tree } from '../platforms/case.ts'

/** One agent of the repository, on the platform of a case. */
export interface Actor {
  readonly name: string
  readonly about: PlatformCase
  readonly rig: PlatformRig
}

export interface Commit {
  readonly message: string
  /** Everything that the repository holds. */
  readonly tree: Tree
}

/** What people are told about an agent. */
export interface Report {
  readonly decision: string
  readonly code: string
  /** Everything that is shown, without Markdown's escapes. */
  readonly text: string
}

export type Reports = ReadonlyMap<string, Report>

/** One of the two ways in; whoever stands before it sees the same. */
export interface Door {
  /** To `main`; resolves when nothing is left to do for the agents on platforms that are meant. */
  push(commit: Commit, who?: (about: PlatformCase) => boolean): Promise<Reports>
  /** What a deploy of it would do. */
  plan(commit: Commit): Promise<Reports>
  /** Somebody asks for the deploy of what is on `main`. */
  deploy(): Promise<Reports>
  /** Every agent, each to its version where one is named. */
  rollBack(versions?: Readonly<Record<string, string>>): Promise<Reports>
  /** Everything that was told to anybody so far: logs, outputs, records. */
  told(): string
  close(): Promise<void>
}

/** Makes the commit in a clone: what is not in the tree goes. */
export function commitAll(work: string, { tree, message }: Commit): string {
  for (const path of ['agents', '.github', 'shared']) rmSync(join(work, path), { recursive: true, force: true })
  return addCommit(work, { tree, message })
}

/** What a summary of several agents says of each: its row of the table, and its own section. */
export function reportsIn(summary: string, agents: readonly string[]): Reports {
  const found = agents.flatMap((name): [string, Report][] => {
    const row = new RegExp(`^\\| ${name} \\| \\S+ ([a-z-]+) \\(\`([a-z-]+)\`\\).*$`, 'm').exec(summary)
    const [, section = ''] = summary.split(new RegExp(`^### ${name}$`, 'm'))
    const [text = ''] = section.split(/^### /m)
    return row ? [[name, { decision: row[1] ?? '', code: row[2] ?? '', text: plain(`${row[0]}${text}`) }]] : []
  })
  return new Map(found)
}

/** Markdown as it is read. */
export function plain(markdown: string): string {
  return markdown
    .replace(/\\(.)/g, '$1')
    .replaceAll('\u200d', '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
