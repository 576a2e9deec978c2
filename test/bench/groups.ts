import { acks } from './acks.ts'
import type { Bench, Finding } from './bench.ts'
import { bundle } from './bundle.ts'
import { dashboard } from './dashboard.ts'
import { doors } from './doors.ts'
import { growthApp } from './growth-app.ts'
import { growthBundle } from './growth-bundle.ts'
import { growthVersion } from './growth-version.ts'
import { jobs } from './jobs.ts'
import { latency } from './latency.ts'
import { select } from './select.ts'
import { start } from './start.ts'
import { takeover } from './takeover.ts'
import { upload } from './upload.ts'
import { version } from './version.ts'
import { writes } from './writes.ts'

interface Group {
  readonly about: string
  /** On two cores that have nothing else to do. */
  readonly minutes: number
  run(bench: Bench): Promise<readonly Finding[]>
}

/** In the order in which they run: what is quick comes first. */
export const groups = {
  start: { about: 'cold start of dist', minutes: 0.2, run: start },
  select: { about: 'which files ship', minutes: 0.5, run: select },
  version: { about: 'the next version from the history', minutes: 3, run: version },
  upload: { about: 'a large upload', minutes: 1, run: upload },
  doors: { about: 'memory of a large deploy, through both doors', minutes: 2, run: doors },
  bundle: { about: 'archives and digests', minutes: 6, run: bundle },
  acks: { about: 'webhooks acknowledged a second', minutes: 4, run: acks },
  jobs: { about: 'whole deployments a second, with instant platforms', minutes: 3, run: jobs },
  latency: { about: 'webhook to the first byte at the platform', minutes: 1, run: latency },
  takeover: { about: 'another instance takes the work of a killed one', minutes: 2.5, run: takeover },
  writes: { about: 'writes to GitHub', minutes: 0.1, run: writes },
  dashboard: { about: 'pages of the dashboard', minutes: 0.5, run: dashboard },
  'growth-version': { about: 'versions over commits, tags, agents', minutes: 2, run: growthVersion },
  'growth-bundle': { about: 'bundles over files and bytes', minutes: 3, run: growthBundle },
  'growth-app': { about: 'the App over its past', minutes: 3, run: growthApp },
} as const satisfies Readonly<Record<string, Group>>

export type GroupName = keyof typeof groups
