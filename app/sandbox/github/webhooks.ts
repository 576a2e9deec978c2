import { createHmac, randomUUID } from 'node:crypto'
import { repositoryShape, userShape } from './shapes.ts'
import { type App, installationFor, newId, type Repository, timestamp, type World } from './state.ts'

/** A webhook that was sent, or would have been. */
export interface Delivery {
  readonly id: number
  readonly guid: string
  readonly event: string
  readonly action: string | null
  readonly deliveredAt: string
  readonly redelivery: boolean
  readonly installationId: number
  readonly appId: number
  readonly body: string
  /** 0 when nobody answered in time. */
  status: number
  /** GitHub lists what it has tried to send. */
  isTried: boolean
}

export interface Event {
  readonly event: string
  readonly action?: string
  readonly sender: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface Hooks {
  readonly deliveries: Delivery[]
  /** Builds, signs and sends an event to every app that is installed and listens. */
  emit(repository: Repository, event: Event): void
  /** As `emit`, of an installation: GitHub sends these to its app whatever that listens to. */
  tell(app: App, event: Event & { readonly installation: Record<string, unknown> & { readonly id: number } }): void
  redeliver(guid: string): Promise<number>
  pause(): void
  resume(): void
  settle(): Promise<void>
}

/** GitHub gives up after 10 s and does not try again. */
const patienceMs = 10_000

export function createHooks(world: World): Hooks {
  const deliveries: Delivery[] = []
  const waiting: Delivery[] = []
  let paused = false
  let chain: Promise<unknown> = Promise.resolve()

  async function send(delivery: Delivery): Promise<void> {
    const app = world.apps.find(({ id }) => id === delivery.appId)
    if (!app) return
    const signature = createHmac('sha256', app.webhookSecret).update(delivery.body).digest('hex')
    const answer = await fetch(app.webhookUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/sandbox',
        'x-github-delivery': delivery.guid,
        'x-github-event': delivery.event,
        'x-github-hook-id': String(app.id),
        'x-github-hook-installation-target-id': String(app.id),
        'x-github-hook-installation-target-type': 'integration',
        'x-hub-signature-256': `sha256=${signature}`,
      },
      body: delivery.body,
      signal: AbortSignal.timeout(patienceMs),
    }).catch(() => undefined)
    delivery.status = answer?.status ?? 0
    delivery.isTried = true
    await answer?.arrayBuffer().catch(() => undefined)
  }

  function enqueue(delivery: Delivery): void {
    if (paused) waiting.push(delivery)
    else chain = chain.then(() => send(delivery))
  }

  function dispatch(
    app: App,
    given: { event: string; action: string | undefined; installationId: number; body: unknown },
  ): void {
    const { event, action, installationId } = given
    const delivery: Delivery = {
      id: newId(world),
      guid: randomUUID(),
      appId: app.id,
      body: JSON.stringify(given.body),
      status: 0,
      isTried: false,
      event,
      action: action ?? null,
      deliveredAt: timestamp(world),
      redelivery: false,
      installationId,
    }
    deliveries.push(delivery)
    enqueue(delivery)
  }

  return {
    deliveries,

    emit(repository, { event, action, sender, payload }) {
      for (const { app, installation } of installationFor(world, repository)) {
        if (!app.events.includes(event)) continue
        const body = {
          ...(action ? { action } : {}),
          ...payload,
          repository: repositoryShape(world, repository),
          sender: userShape(world, sender),
          installation: { id: installation.id, node_id: `I_${installation.id}` },
        }
        dispatch(app, { event, action, installationId: installation.id, body })
      }
    },

    tell(app, { event, action, sender, payload, installation }) {
      const body = { ...(action ? { action } : {}), installation, ...payload, sender: userShape(world, sender) }
      dispatch(app, { event, action, installationId: installation.id, body })
    },

    async redeliver(guid) {
      const original = deliveries.find((delivery) => delivery.guid === guid)
      if (!original) throw new Error(`There is no delivery ${guid}`)
      const again: Delivery = {
        ...original,
        id: newId(world),
        redelivery: true,
        deliveredAt: timestamp(world),
        status: 0,
        isTried: false,
      }
      deliveries.push(again)
      await send(again)
      return again.status
    },

    pause() {
      paused = true
    },

    resume() {
      paused = false
      for (const delivery of waiting.splice(0)) enqueue(delivery)
    },

    async settle() {
      for (let seen = chain; ; seen = chain) {
        await seen
        if (seen === chain) return
      }
    },
  }
}
