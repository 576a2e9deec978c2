import type { JobWithMetadata, PgBoss, WorkOptions } from 'pg-boss'
import type { Kind } from './port.ts'

/** How many jobs of a queue one instance works on at once, and how many workers look out for more meanwhile. */
export interface Staffing {
  readonly most: number
  /** Only who has nothing to do polls the database and is woken by every notification: these are what a queue costs. */
  readonly spare: number
}

export interface Staff {
  /** Nobody is taken on any more; what was begun goes on. */
  close(): void
  /** Nothing is held any more. */
  end(): void
}

type HeldJob = Pick<JobWithMetadata, 'id' | 'retryCount' | 'singletonKey'>

interface Queue extends Staffing {
  readonly kind: Kind
  readonly work: (job: HeldJob) => Promise<void>
  readonly options: WorkOptions
  /** Between two signs of life for all jobs that are held. */
  readonly beatMs: number
  readonly onError: (error: unknown) => void
}

/** By itself a worker of pg-boss gives a sign of life for its own job, in a statement each. */
const neverSeconds = 24 * 60 * 60

/**
 * Workers of pg-boss for one queue, as many as there is work: whoever begins a job is replaced by another who looks out for the
 * next, and goes when it has ended, unless it is needed. So most jobs cost no polls while they are worked on, and one
 * statement says for all of them that they are.
 */
export function takeOn(boss: Pick<PgBoss, 'work' | 'offWork' | 'notifyWorker' | 'touch'>, queue: Queue): Staff {
  const { kind, most, spare, options, onError } = queue
  const held = new Map<string, { readonly id: string; readonly retryCount: number }>()
  let workers = 0
  let closed = false

  function hire(): void {
    workers++
    const mine: { id?: string } = {}
    boss
      .work(
        kind,
        { ...options, batchSize: 1, includeMetadata: true, heartbeatRefreshSeconds: neverSeconds },
        async (jobs) => {
          // Of a batch of one.
          for (const job of jobs) await handle(job, mine.id)
        },
      )
      .then(
        (id) => (mine.id = id),
        (error: unknown) => {
          workers--
          if (!closed) onError(error)
        },
      )
  }

  async function handle(job: HeldJob, worker: string | undefined): Promise<void> {
    held.set(job.id, { id: job.id, retryCount: job.retryCount })
    if (!closed && workers < most && workers - held.size < spare) hire()
    try {
      await queue.work(job)
    } finally {
      held.delete(job.id)
      if (worker !== undefined) leaveOrStay(worker)
    }
  }

  function leaveOrStay(worker: string): void {
    // Whoever stays looks at once whether more has come meanwhile.
    if (workers - held.size <= spare) return boss.notifyWorker(worker)
    workers--
    boss.offWork(kind, { id: worker, wait: false }).catch(onError)
  }

  /** On its own time, whatever became of the last: a connection that hangs keeps no other from being used. */
  function beat(): void {
    if (held.size > 0) boss.touch(kind, [...held.values()]).catch(onError)
  }

  const timer = setInterval(beat, queue.beatMs)
  for (let count = 0; count < spare; count++) hire()
  return {
    close() {
      closed = true
    },
    end() {
      clearInterval(timer)
    },
  }
}
