import { DeployError } from '../src/errors.ts'
import type { OctokitLike } from '../src/github.ts'
import type { App } from './context.ts'
import type { InstallationOctokit } from './github.ts'
import { sortTrouble, Suspended } from './github-trouble.ts'

/** Of GitHub's 5,000 calls an hour and installation, each run may spend this many; what is left over comes next time. */
export const callsPerRun = 200

/** What reconciling needs of GitHub. */
export interface Reach {
  /** As the app itself. */
  app(): Promise<OctokitLike>
  octokit(installation: number): Promise<InstallationOctokit>
}

/** Calls that are left of a run. */
export interface Budget {
  left: number
}

/** When each repository was pushed to when its heads were last compared: nothing was, nothing is asked. */
export type Seen = Map<number, string>

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
