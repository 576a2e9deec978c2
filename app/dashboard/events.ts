import type { ServerResponse } from 'node:http'
import { beginStream } from './send.ts'

/** One look at the tables a second while anybody watches, however many they are; nothing when nobody does. */
const lookMs = 1000
/** Proxies cut connections that say nothing for 30 to 60 s. */
const heartbeatMs = 25_000
const mostStreams = 200
/** A reader that does not read is not sent more. */
const mostUnread = 1024 * 1024

export interface Events {
  /** Sends the page's content now, and again whenever it has changed. `render` gets what is shown; undefined ends it. */
  open(response: ServerResponse, render: Render): void
  close(): void
}

export type Render = (shown: string) => Promise<string | undefined>

interface Stream {
  readonly response: ServerResponse
  readonly render: Render
  shown: string
  busy: boolean
}

export function createEvents(given: { newest: () => Promise<number>; onTrouble: (error: unknown) => void }): Events {
  const streams = new Set<Stream>()
  let timers: NodeJS.Timeout[] = []
  let seen = -1
  let isFresh = false

  async function look(): Promise<void> {
    const newest = await given.newest()
    const isNew = newest !== seen
    seen = newest
    // Once more after a change: another in the same millisecond would not be seen.
    if (!isNew && !isFresh) return
    isFresh = isNew
    for (const stream of streams) await tell(stream)
  }

  async function tell(stream: Stream): Promise<void> {
    const { response } = stream
    if (stream.busy || response.writableLength > mostUnread) return
    stream.busy = true
    try {
      const content = await stream.render(stream.shown)
      if (content === undefined) return void response.end('event: over\ndata:\n\n')
      if (content !== stream.shown) response.write(`data: ${JSON.stringify(content)}\n\n`)
      stream.shown = content
    } catch (error) {
      given.onTrouble(error)
      response.end()
    } finally {
      stream.busy = false
    }
  }

  function start(): void {
    const every = (ms: number, work: () => void) => setInterval(work, ms).unref()
    timers = [
      every(lookMs, () => void look().catch(given.onTrouble)),
      every(heartbeatMs, () => {
        for (const { response } of streams) response.write(': still here\n\n')
      }),
    ]
  }

  function stop(): void {
    for (const timer of timers) clearInterval(timer)
    timers = []
  }

  return {
    open(response, render) {
      if (streams.size >= mostStreams) return void response.writeHead(503, { 'retry-after': '30' }).end()
      const stream: Stream = { response, render, shown: '', busy: false }
      streams.add(stream)
      if (streams.size === 1) start()
      response.on('close', () => {
        streams.delete(stream)
        if (streams.size === 0) stop()
      })
      beginStream(response)
      response.write('retry: 3000\n\n')
      void tell(stream)
    },
    close() {
      stop()
      for (const { response } of streams) response.end()
    },
  }
}
