import { DeployError, type ErrorCode, fail, type Facts, Postponed } from '../../src/errors.ts'
import type { Value } from './database.ts'

/** What the app's thread asks of the database's; `within` names the transaction that a statement belongs to. */
export type Request =
  | { readonly id: number; readonly kind: 'open'; readonly folder: string }
  | Statement
  | { readonly id: number; readonly kind: 'begin' }
  | { readonly id: number; readonly kind: 'end'; readonly within: number; readonly isKept: boolean }
  | { readonly id: number; readonly kind: 'close' }

export interface Statement {
  readonly id: number
  readonly kind: 'all' | 'run'
  readonly sql: string
  readonly values: readonly Value[]
  readonly within: number | undefined
}

/** What came of the request with this id; that a transaction has begun is told by its statements, and its end by one answer. */
export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly problem?: Problem
}

/** An error, as it crosses: classes do not. */
type Problem =
  | { readonly kind: 'known'; readonly code: ErrorCode; readonly facts: Facts }
  | { readonly kind: 'passing' | 'other'; readonly message: string; readonly cause: string | undefined }

export function pack(error: unknown): Problem {
  if (error instanceof DeployError) return { kind: 'known', code: error.code, facts: error.facts }
  const message = error instanceof Error ? error.message : String(error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined
  return { kind: error instanceof Postponed ? 'passing' : 'other', message, cause }
}

export function unpack(problem: Problem): Error {
  if (problem.kind === 'known') return fail(problem.code, problem.facts)
  const options = problem.cause === undefined ? {} : { cause: new Error(problem.cause) }
  return problem.kind === 'passing' ? new Postponed(problem.message, options) : new Error(problem.message, options)
}
