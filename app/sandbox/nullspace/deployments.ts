import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { bodyOf, once } from './idempotency.ts'
import { missing, Refusal } from './reply.ts'
import { NewDeployment } from './schema.ts'
import { deploymentBody, page } from './shapes.ts'
import { type Deployment, deploymentOf, newId, now, type World } from './state.ts'

export async function createDeployment(world: World, call: PlatformCall): Promise<PlatformReply> {
  const wanted = await bodyOf(NewDeployment, call)
  return await once(world, { call, payload: JSON.stringify(wanted), required: true }, async () => {
    return { status: 201, body: deploymentBody(addDeployment(world, wanted)) }
  })
}

export function addDeployment(
  world: World,
  wanted: { name: string; mode: Deployment['mode']; description?: string | undefined; metadata?: object | undefined },
): Deployment {
  if ([...world.deployments.values()].some(({ name }) => name === wanted.name)) {
    throw new Refusal(409, 'conflict', { message: `There is an agent deployment "${wanted.name}" already.` })
  }
  const deployment: Deployment = {
    id: newId('adpl'),
    name: wanted.name,
    mode: wanted.mode,
    description: wanted.description,
    metadata: { ...wanted.metadata },
    createdAt: now(world),
    active: undefined,
    versions: [],
    services: [],
    runs: [],
    uploads: 0,
  }
  world.deployments.set(deployment.id, deployment)
  return deployment
}

export function getDeployment(world: World, { params }: PlatformCall): PlatformReply {
  return { status: 200, body: deploymentBody(deploymentOf(world, params['deployment_id'])) }
}

/** Not documented; the CLI has such a list. */
export function listDeployments(world: World, { query }: PlatformCall): PlatformReply {
  if (!world.profile.pages.deployments) throw missing('page')
  return { status: 200, body: page([...world.deployments.values()].map(deploymentBody), query) }
}
