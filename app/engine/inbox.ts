import type { Deliveries, Delivery } from './deliveries.ts'

/** Takes deliveries one by one and stores them in groups: one commit, and one wait for the disk, per turn of the event loop. */
export interface Inbox {
  /** Resolves once the delivery is on the disk. */
  accept(delivery: Delivery): Promise<'new' | 'known'>
}

interface Waiting {
  readonly delivery: Delivery
  readonly resolve: (result: 'new' | 'known') => void
  readonly reject: (error: unknown) => void
}

export function createInbox(deliveries: Pick<Deliveries, 'insert'>): Inbox {
  let group: Waiting[] = []

  async function commit(): Promise<void> {
    const mine = group
    group = []
    try {
      const fresh = await deliveries.insert(once(mine))
      const told = new Set<string>()
      for (const { delivery, resolve } of mine) {
        const isNew = fresh.has(delivery.guid) && !told.has(delivery.guid)
        told.add(delivery.guid)
        resolve(isNew ? 'new' : 'known')
      }
    } catch (error) {
      for (const { reject } of mine) reject(error)
    }
  }

  return {
    accept(delivery) {
      if (group.length === 0) setImmediate(() => void commit())
      return new Promise((resolve, reject) => group.push({ delivery, resolve, reject }))
    },
  }
}

/** The same GUID twice in one group is one row. */
function once(group: readonly Waiting[]): Delivery[] {
  return [...new Map(group.map(({ delivery }) => [delivery.guid, delivery])).values()]
}
