import type { Platform } from '../platforms/platform.ts'
import type { Strategy } from '../platforms/strategy.ts'
import type { AgentEntry, ConfigFile } from './schema.ts'
import { parseDuration, parseSize } from './units.ts'

/** An agent with everything decided: what the config file says, over its defaults, over ours. */
export interface Agent {
  readonly name: string
  readonly platform: Platform
  readonly id: string
  /** Repository-relative folder without trailing slash; '' for the whole repository. */
  readonly path: string
  readonly environment: string
  readonly connection: string | undefined
  readonly deploy: {
    readonly on: 'push' | 'release' | 'manual'
    readonly branch: string | undefined
    readonly tag: string | undefined
    readonly strategy: Strategy
    readonly cleanupOld: boolean
    readonly waitForChecks: boolean
    readonly timeoutMs: number
    readonly onFailure: 'rollback' | 'keep'
    readonly onDrift: 'refuse' | 'overwrite'
  }
  /** `auto`, `major`, `minor`, `patch` or an exact semver. */
  readonly version: string
  readonly initialVersion: string | undefined
  /** Tag the commit and write release notes once it is live. */
  readonly release: boolean
  readonly bundle: {
    readonly include: readonly string[]
    readonly exclude: readonly string[]
    readonly maxBytes: number | undefined
    readonly allowSecrets: readonly string[]
  }
  readonly verify: { readonly path: string; readonly status: number; readonly timeoutMs: number } | undefined
  readonly watchPaths: readonly string[]
  readonly dependsOn: readonly string[]
  readonly allow: readonly string[]
  readonly settings: unknown
}

export interface Config {
  /** Path of the file, for messages. */
  readonly path: string
  readonly agents: readonly Agent[]
  /** What it was read with; an older version of the file is read with the same. */
  readonly platforms: readonly Platform[]
}

/** A cold container build takes 5–10 minutes on the slowest platform; 15 leaves room without hanging a job for hours. */
export const defaultTimeout = '15m'
const defaultVerifyTimeout = '60s'

/** Entry over defaults over ours; the entry was validated before, so nothing here can fail. */
export function resolveAgent(
  name: string,
  given: { entry: AgentEntry; defaults: ConfigFile['defaults']; platform: Platform; settings: unknown },
): Agent {
  const { entry, platform, settings } = given
  const defaults = given.defaults ?? {}
  const deploy = { ...defaults.deploy, ...entry.deploy }
  const bundle = { ...defaults.bundle, ...entry.bundle }
  const verify = entry.verify || defaults.verify ? { ...defaults.verify, ...entry.verify } : undefined
  return {
    name,
    platform,
    id: entry.id ?? '',
    path: normalizeFolder(entry.path ?? '.'),
    environment: entry.environment ?? name,
    connection: entry.connection ?? defaults.connection,
    deploy: {
      on: deploy.on ?? 'push',
      branch: deploy.branch,
      tag: deploy.tag,
      strategy: deploy.strategy ?? 'rolling',
      cleanupOld: deploy['cleanup-old'] ?? true,
      waitForChecks: deploy['wait-for-checks'] ?? false,
      timeoutMs: milliseconds(deploy.timeout ?? defaultTimeout),
      onFailure: deploy['on-failure'] ?? 'rollback',
      onDrift: deploy['on-drift'] ?? 'refuse',
    },
    version: entry.version ?? defaults.version ?? 'auto',
    initialVersion: entry['initial-version'] ?? defaults['initial-version'],
    release: entry.release ?? defaults.release ?? false,
    bundle: {
      include: bundle.include ?? [],
      exclude: bundle.exclude ?? [],
      maxBytes: bundle['max-size'] === undefined ? undefined : parseSize(bundle['max-size']),
      allowSecrets: bundle['allow-secrets'] ?? [],
    },
    verify: verify && {
      path: verify.path ?? '/',
      status: verify.status ?? 200,
      timeoutMs: milliseconds(verify.timeout ?? defaultVerifyTimeout),
    },
    watchPaths: entry['watch-paths'] ?? defaults['watch-paths'] ?? [],
    dependsOn: entry['depends-on'] ?? [],
    allow: entry.rollback?.allow ?? defaults.rollback?.allow ?? ['write'],
    settings,
  }
}

function normalizeFolder(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

function milliseconds(duration: string): number {
  return parseDuration(duration) ?? 0
}
