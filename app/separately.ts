import { DeployError } from '../src/errors.ts'
import type { App } from './context.ts'
import { sortTrouble, Suspended } from './github-trouble.ts'

/** What one account does not allow is no reason to leave out the next; a limit or an outage ends the run. */
export async function separately({ log, clock }: App, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const sorted = sortTrouble(error, { route: 'reconciling', now: clock.now() })
    if (!(sorted instanceof DeployError) && !(sorted instanceof Suspended)) throw sorted
    log.info(`left out while reconciling: ${sorted.message.slice(0, 200)}`)
  }
}
