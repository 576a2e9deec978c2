import type { OctokitLike } from '../src/github.ts'
import type { InstallationOctokit } from './github.ts'

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
