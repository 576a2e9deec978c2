import { join } from 'node:path'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { bodyOf, once } from './idempotency.ts'
import { invalid } from './reply.ts'
import { NewRun } from './schema.ts'
import { materialize, runnableVersion, runShell } from './service-routes.ts'
import { runBody } from './shapes.ts'
import { type Deployment, deploymentOf, inBackground, newId, now, type Run, versionOf, type World } from './state.ts'

export async function startRun(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  if (deployment.mode !== 'job') throw invalid('A service has services, no runs.')
  const wanted = await bodyOf(NewRun, call)
  return await once(world, { call, payload: JSON.stringify(wanted), required: true }, async () => {
    const run: Run = {
      id: newId('adrun'),
      versionId: runnableVersion(deployment, wanted.version_id).id,
      createdAt: now(world),
      status: 'queued',
      failure: undefined,
      output: '',
    }
    deployment.runs.push(run)
    const body = runBody(deployment, run)
    inBackground(world, carryOut(world, { deployment, run, envs: wanted.envs, input: wanted.input }))
    return { status: 201, body }
  })
}

async function carryOut(
  world: World,
  of: { deployment: Deployment; run: Run; envs: Readonly<Record<string, string>>; input: unknown },
): Promise<void> {
  const { deployment, run, envs, input } = of
  const { config, folder: from } = versionOf(deployment, run.versionId)
  const folder = join(world.root, deployment.id, run.id)
  run.status = 'starting'
  await materialize(from, folder)
  const steps = [
    ...(config.install === undefined ? [] : [{ status: 'installing', shell: config.install } as const]),
    { status: 'running', shell: config.entrypoint } as const,
  ]
  for (const { status, shell } of steps) {
    run.status = status
    const agent = await runShell(world, { folder, shell, env: { ...envs, AGENT_INPUT: JSON.stringify(input ?? null) } })
    const problem = await agent.ended
    await agent.stop()
    run.output = agent.output()
    if (problem === undefined) continue
    run.status = 'failed'
    run.failure = `${status} ${problem}`
    return
  }
  run.status = 'succeeded'
}
