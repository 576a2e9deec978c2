import { parentPort, workerData } from 'node:worker_threads'
import type { Format } from './archive.ts'
import type { Task } from './block.ts'
import { createBlockWork } from './block-work.ts'

/** A thread of its own: blocks come as messages, and go back as messages, in order. Started by `workplace`. */
export interface ThreadStart {
  readonly format: Format
  readonly blocks: readonly SharedArrayBuffer[]
}

// Given by `workplace`, which is the only one that starts it.
const { format, blocks } = workerData as ThreadStart
const work = createBlockWork(
  format,
  blocks.map((bytes) => Buffer.from(bytes)),
)
let before: Promise<void> = Promise.resolve()

// A failure ends the thread, and whoever started it is told.
parentPort?.on('message', (task: Task) => {
  before = before.then(async () => parentPort?.postMessage(await work(task)))
})
