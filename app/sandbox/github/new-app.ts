import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { type App, newId, type World } from './state.ts'

/** An app as its owner describes it. */
export interface NewApp {
  readonly slug: string
  readonly name: string
  /** PEM; made when left out. */
  readonly privateKey?: string
  readonly webhookUrl: string
  readonly webhookSecret: string
  /** Where people come back to after they have signed in. */
  readonly callbackUrl?: string
  readonly permissions: Readonly<Record<string, string>>
  readonly events: readonly string[]
}

/** An app as somebody registers it on github.com. */
export function addApp(world: World, app: NewApp): App {
  const privateKey =
    app.privateKey ??
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const id = newId(world)
  const client = {
    clientId: `Iv23li${id}`,
    clientSecret: randomBytes(20).toString('hex'),
    callbackUrl: app.callbackUrl,
  }
  const added: App = { ...app, ...client, id, privateKey, publicKey, installations: [] }
  world.apps.push(added)
  world.users.set(`${app.slug}[bot]`, { id: newId(world), login: `${app.slug}[bot]`, type: 'Bot' })
  return added
}
