import { Worker } from 'node:worker_threads'
import { fail } from '../errors.ts'
import type { Format, Where } from './archive.ts'
import type { Done, Task } from './block.ts'
import { createBlockWork } from './block-work.ts'
import type { ThreadStart } from './packing-thread.ts'
import { threadFile } from './thread-file.ts'

/** Where blocks are worked on, one after the other: by whoever calls, or in a thread. */
export interface Workplace {
  /** The memory that is worked in; one is filled while others are worked on. */
  readonly blocks: readonly Buffer[]
  work(task: Task): Promise<Done>
  /** What is not done by then never is. */
  close(): Promise<void>
}

/** One is filled while the other is worked on or written. */
const blocksHere = 2
/** One is filled, one is worked on, one lies ready for that, one is written. */
const blocksOfThread = 4
/** What passes through a thread is garbage at once; by default V8 lets 48 MB of it pile up. */
const youngGenerationMb = 2

export function createWorkplace(given: { where: Where; format: Format; blockBytes: number }): Workplace {
  return given.where === 'here' ? workHere(given) : workInThread(given)
}

function workHere({ format, blockBytes }: { format: Format; blockBytes: number }): Workplace {
  const blocks = Array.from({ length: blocksHere }, () => Buffer.allocUnsafeSlow(blockBytes))
  const work = createBlockWork(format, blocks)
  let before: Promise<unknown> = Promise.resolve()
  return {
    blocks,
    work(task) {
      const done = before.then(() => work(task))
      before = done.catch(() => undefined)
      return done
    },
    async close() {
      await before
    },
  }
}

interface Waiting {
  readonly resolve: (done: Done) => void
  readonly reject: (error: unknown) => void
}

function workInThread({ format, blockBytes }: { format: Format; blockBytes: number }): Workplace {
  const memory = Array.from({ length: blocksOfThread }, () => new SharedArrayBuffer(blockBytes))
  const start: ThreadStart = { format, blocks: memory }
  const thread = new Worker(threadFile, {
    workerData: start,
    // It needs none of the process's secrets, nor its options.
    env: {},
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  })
  const waiting: Waiting[] = []
  let failure: unknown

  function end(detail: string, cause?: unknown): void {
    failure ??= fail('internal', { detail }, cause)
    for (const { reject } of waiting.splice(0)) reject(failure)
  }

  // Answers come in the order of the tasks.
  thread.on('message', (done: Done) => waiting.shift()?.resolve(done))
  thread.on('error', (error) => end(`the thread that packs failed: ${error.message}`, error))
  thread.on('exit', (code) => end(`the thread that packs has ended (${code})`))
  return {
    blocks: memory.map((bytes) => Buffer.from(bytes)),
    work(task) {
      return new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        waiting.push({ resolve, reject })
        thread.postMessage(task)
      })
    },
    async close() {
      await thread.terminate()
    },
  }
}
