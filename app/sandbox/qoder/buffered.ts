import type { PlatformCall } from '../platform-server.ts'

/** The call with its body read already, so that it can be looked at more than once. */
export function buffered(call: PlatformCall, body: Buffer): PlatformCall {
  return { ...call, bytes: async () => body, json: async () => parse(body) }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
