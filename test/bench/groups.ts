import type { Bench, Finding } from './bench.ts'

interface Group {
  readonly about: string
  /** On two cores that have nothing else to do. */
  readonly minutes: number
  /** Loaded only then: some install what they need. */
  run(bench: Bench): Promise<readonly Finding[]>
}

/** In the order in which they run: what is quick comes first. */
export const groups = {
  start: {
    about: 'cold start of dist',
    minutes: 0.2,
    run: async (bench) => await (await import('./start.ts')).start(bench),
  },
  writes: {
    about: 'writes to GitHub',
    minutes: 0.1,
    run: async (bench) => await (await import('./writes.ts')).writes(bench),
  },
  select: {
    about: 'which files ship',
    minutes: 0.5,
    run: async (bench) => await (await import('./select.ts')).select(bench),
  },
  dashboard: {
    about: 'pages of the dashboard',
    minutes: 0.5,
    run: async (bench) => await (await import('./dashboard.ts')).dashboard(bench),
  },
  latency: {
    about: 'webhook to the first byte at the platform',
    minutes: 1,
    run: async (bench) => await (await import('./latency.ts')).latency(bench),
  },
  upload: {
    about: 'a large upload',
    minutes: 1,
    run: async (bench) => await (await import('./upload.ts')).upload(bench),
  },
  doors: {
    about: 'memory of a large deploy, through both doors',
    minutes: 2,
    run: async (bench) => await (await import('./doors.ts')).doors(bench),
  },
  takeover: {
    about: 'another instance takes the work of a killed one',
    minutes: 2.5,
    run: async (bench) => await (await import('./takeover.ts')).takeover(bench),
  },
  jobs: {
    about: 'whole deployments a second, with instant platforms',
    minutes: 3,
    run: async (bench) => await (await import('./jobs.ts')).jobs(bench),
  },
  acks: {
    about: 'webhooks acknowledged a second',
    minutes: 5,
    run: async (bench) => await (await import('./acks.ts')).acks(bench),
  },
  version: {
    about: 'the next version from the history',
    minutes: 14,
    run: async (bench) => await (await import('./version.ts')).version(bench),
  },
  bundle: {
    about: 'archives and digests',
    minutes: 12,
    run: async (bench) => await (await import('./bundle.ts')).bundle(bench),
  },
  'growth-version': {
    about: 'versions over commits, tags, agents',
    minutes: 2,
    run: async (bench) => await (await import('./growth-version.ts')).growthVersion(bench),
  },
  'growth-bundle': {
    about: 'bundles over files and bytes',
    minutes: 3,
    run: async (bench) => await (await import('./growth-bundle.ts')).growthBundle(bench),
  },
  'growth-app': {
    about: 'the App over its past',
    minutes: 4,
    run: async (bench) => await (await import('./growth-app.ts')).growthApp(bench),
  },
} as const satisfies Readonly<Record<string, Group>>

export type GroupName = keyof typeof groups
