import { createHash } from 'node:crypto'

/** An idempotency key: the same for the same facts, another for any other. */
export function keyOf(...facts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}
