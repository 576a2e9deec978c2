import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** More than this part of all cores in use by others, and figures are about them as much as about us. */
const busyShare = 0.15
/** Long enough to tell a neighbour at work from one that has just blinked. */
const lookMs = 1500

export interface Look {
  readonly load: number
  /** Part of all cores that was in use while we did nothing. */
  readonly share: number
}

/** Who else is at work: the load average remembers our own last minute, so the cores are looked at as well. */
export async function lookAtMachine(): Promise<Look> {
  const before = ticks()
  await sleep(lookMs)
  const after = ticks()
  const all = after.all - before.all
  return { load: loadavg()[0] ?? 0, share: all > 0 ? (after.busy - before.busy) / all : 0 }
}

function ticks(): { all: number; busy: number } {
  let all = 0
  let idle = 0
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq
    idle += times.idle
  }
  return { all, busy: all - idle }
}

export interface Machine {
  readonly quiet: boolean
  readonly before: Look
  readonly after: Look
  readonly cores: number
  readonly memoryGb: number
  readonly versions: Readonly<Record<string, string>>
  readonly told: string
}

export async function describeMachine(before: Look, after: Look): Promise<Machine> {
  const quiet = before.share <= busyShare && after.share <= busyShare
  const cores = availableParallelism()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  const versions = await versionsOf()
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const told = [
    `${cores} cores (${cpus()[0]?.model ?? arch()}), ${memoryGb} GB, ${Object.entries(versions)
      .map(([name, text]) => `${name} ${text}`)
      .join(', ')}.`,
    `Others used ${percent(before.share)} of the cores before the run and ${percent(after.share)} after it (load ${before.load.toFixed(2)} and ${after.load.toFixed(2)}): ${
      quiet ? 'the machine was quiet.' : 'the machine was NOT quiet, read the ratios only.'
    }`,
  ].join('\n')
  return { quiet, before, after, cores, memoryGb, versions, told }
}

/** Of whatever is measured or measured against. */
const programs: Readonly<Record<string, readonly string[]>> = {
  git: ['git', '--version'],
  tar: ['tar', '--version'],
  zip: ['zip', '-v'],
  openssl: ['openssl', 'version'],
  curl: ['curl', '--version'],
  wrk: ['wrk', '-v'],
}

async function versionsOf(): Promise<Record<string, string>> {
  const found: Record<string, string> = {
    Node: process.version,
    SQLite: process.versions['sqlite'] ?? '',
    Linux: release(),
  }
  for (const [name, [file = '', ...args]] of Object.entries(programs)) found[name] = await versionOf(file, args)
  for (const name of ['probot', 'pg-boss', 'tar']) found[`npm ${name}`] = packageVersion(name)
  return found
}

/** `-` when there is none; some programs say it with a failure (wrk). */
async function versionOf(file: string, args: readonly string[]): Promise<string> {
  const text = await promisify(execFile)(file, [...args]).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  )
  return /\d+(?:\.\d+)+\w*/.exec(text.replace(/^Copyright.*$/m, ''))?.[0] ?? '-'
}

function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
