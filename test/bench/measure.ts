import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A thing to be timed: a shell line or a function; `setUp` runs before each run and is not timed. */
export interface Contender {
  readonly name: string
  run(): Promise<Sample>
  setUp?(): Promise<void>
}

export interface Sample {
  /** Milliseconds, or any other figure of which less is better. */
  readonly value: number
  /** Largest resident memory seen, in MB; of all processes of a shell line the largest one. */
  readonly peakMb?: number
  /** What else the same run has shown, by name. */
  readonly also?: Readonly<Record<string, number>>
}

export interface Measured {
  readonly name: string
  readonly median: number
  /** Half of the distance between the quartiles, in percent of the median. */
  readonly spread: number
  readonly peakMb: number | undefined
  readonly runs: number
  readonly also: Readonly<Record<string, Measured>>
}

/**
 * Runs the contenders turn by turn, so that a neighbour on the machine disturbs all alike. The first round is not counted, unless
 * each run warms up by itself.
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  warmUps: 0 | 1 = 1,
): Promise<Measured[]> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds + warmUps; round++) {
    for (const contender of contenders) {
      await contender.setUp?.()
      const sample = await contender.run()
      if (round >= warmUps) samples.get(contender.name)?.push(sample)
    }
  }
  return [...samples].map(([name, taken]) => summarize(name, taken))
}

export function summarize(name: string, samples: readonly Sample[]): Measured {
  const values = samples.map(({ value }) => value).sort((a, b) => a - b)
  const peaks = samples.flatMap(({ peakMb }) => (peakMb === undefined ? [] : [peakMb]))
  const median = quantile(values, 0.5)
  return {
    name,
    median,
    spread: median === 0 ? 0 : ((quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median) * 100,
    peakMb: peaks.length > 0 ? Math.max(...peaks) : undefined,
    runs: values.length,
    also: Object.fromEntries(
      Object.keys(samples[0]?.also ?? {}).map((key) => [
        key,
        summarize(
          `${name}, ${key}`,
          samples.map(({ also }) => ({ value: also?.[key] ?? NaN })),
        ),
      ]),
    ),
  }
}

export function quantile(sorted: readonly number[], at: number): number {
  const place = (sorted.length - 1) * at
  const low = sorted[Math.floor(place)] ?? 0
  const high = sorted[Math.ceil(place)] ?? low
  return low + (high - low) * (place - Math.floor(place))
}

/** How often the memory of a child is looked at; VmHWM is the kernel's own high-water mark, so the last look is enough. */
const lookEveryMs = 5

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** How it is to end; 0 by default. */
  readonly code?: number
}

/** Times one process from its start to its end. Throws when it fails: a peer that did nothing would win every race. */
export function command(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(options.cwd ? { cwd: options.cwd } : {}),
      env: { ...process.env, ...options.env },
    })
    let errors = ''
    let peakKb = 0
    const look = () => {
      peakKb = Math.max(peakKb, highWater(child.pid))
    }
    const looking = setInterval(look, lookEveryMs)
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(looking)
      const value = performance.now() - started
      if (code === (options.code ?? 0)) resolve({ value, peakMb: peakKb / 1024 })
      else reject(new Error(`${file} ${args.join(' ').slice(0, 200)} ended with ${code}: ${errors.slice(-400)}`))
    })
  })
}

export function shell(line: string, options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Sample> {
  return command('bash', ['-c', `set -euo pipefail; ${line}`], options)
}

function highWater(pid: number | undefined): number {
  if (pid === undefined) return 0
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
