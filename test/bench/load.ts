import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { idlePush, signed } from '../support/deliver.ts'
import { ensureProgram } from '../support/debian.ts'
import type { Bench } from './bench.ts'

export interface Load {
  /** Answered with 2xx. */
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** Ten connections that send signed webhooks as fast as they are answered. `tool` is what sends them. */
export async function createLoad(bench: Bench) {
  const peers = join(bench.root, 'test/bench/peers')
  const hasWrk = (await ensureProgram('wrk')) === undefined
  const body = join(bench.folder, 'push.json')
  writeFileSync(body, idlePush)

  return {
    tool: hasWrk ? 'wrk' : 'our own load generator (wrk can’t be had)',
    async run(url: string, seconds: number): Promise<Load> {
      const rest = [body, signed(idlePush), `${randomUUID().slice(0, 8)}-`]
      const [file, args] = hasWrk
        ? ['wrk', ['-t1', '-c10', `-d${seconds}s`, '-s', join(peers, 'wrk.lua'), url, '--', ...rest]]
        : [process.execPath, [join(peers, 'load.ts'), url, String(seconds), ...rest]]
      const { stdout } = await promisify(execFile)(file, args)
      const figures = JSON.parse(/^\{.*\}$/m.exec(stdout)?.[0] ?? 'null') as
        { count: number; seconds: number; p50: number; p99: number; failed: number } | undefined
      if (!figures || figures.failed > 0) throw new Error(`${url} did not answer every webhook: ${stdout}`)
      return { perSecond: figures.count / figures.seconds, p50: figures.p50, p99: figures.p99 }
    },
  }
}
