import { createHmac, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { webhookSecret } from './app.ts'

/** The push of a tag, as GitHub has sent it: the app takes it in, looks at it, and has nothing to do. */
export const idlePush = readExample()

function readExample(): string {
  // A package of JSON: events by name, each with examples of its payload.
  const events = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string
    examples: { ref?: string; installation?: unknown }[]
  }[]
  const pushes = events.find(({ name }) => name === 'push')?.examples
  const found = pushes?.find(({ ref, installation }) => ref?.startsWith('refs/tags/') && installation)
  if (!found) throw new Error('the examples have no push of a tag')
  return JSON.stringify(found)
}

export function signed(body: string, secret = webhookSecret): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** One webhook, as GitHub sends it; returns the status of the answer. */
export async function deliver(url: string, body = idlePush): Promise<number> {
  const response = await fetch(`${url}/api/github/webhooks`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': signed(body),
    },
  })
  await response.arrayBuffer()
  return response.status
}
