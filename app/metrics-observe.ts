import type { Store } from './engine/store.ts'
import type { Metrics } from './metrics.ts'
import type { Tracer } from './tracing.ts'

/** The same store; what is written down about operations is counted, and traced once they are done. */
export function observed(store: Store, by: { metrics: Pick<Metrics, 'decided'>; tracer: Tracer }): Store {
  const { metrics, tracer } = by
  return {
    ...store,
    agents: {
      ...store.agents,
      async update(operation, change) {
        await store.agents.update(operation, change)
        metrics.decided(change)
        if (change.state === 'done') tracer.ended(operation.id)
      },
    },
  }
}
