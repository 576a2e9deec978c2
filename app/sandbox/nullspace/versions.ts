import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { compare, receive, unpack } from './bundle.ts'
import { bodyOf, once } from './idempotency.ts'
import { invalid, missing, Refusal } from './reply.ts'
import { type Config, type Manifest, NewVersion } from './schema.ts'
import { page, versionBody } from './shapes.ts'
import {
  activate,
  type Deployment,
  deploymentOf,
  inBackground,
  newId,
  newVersion,
  type Version,
  versionOf,
  type World,
} from './state.ts'

/** Nobody waits so long. */
const hangsMs = 24 * 60 * 60_000

export async function createVersion(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  const wanted = await bodyOf(NewVersion, call)
  const { bundle_manifest: manifest, config, cache_policy: cachePolicy } = wanted
  const problem = manifestProblem(world, { manifest, config }) ?? configProblem(deployment, config)
  if (problem) throw invalid(problem)
  return await once(world, { call, payload: JSON.stringify(wanted), required: true }, async () => {
    const version = newVersion(world, { deployment, manifest, config, cachePolicy })
    return { status: 201, body: versionBody(world, { deployment, version }) }
  })
}

function manifestProblem(world: World, { manifest, config }: { manifest: Manifest; config: Config }) {
  const included = manifest.entries.filter((entry) => entry.included)
  const total = included.reduce((sum, { size }) => sum + size, 0)
  const paths = new Set(manifest.entries.map(({ path }) => path))
  const prefixed = manifest.bundle_digest.startsWith('sha256:')
  if (prefixed === (world.profile.digest === 'hex')) return `bundle_digest is not written as ${world.profile.digest}`
  if (manifest.config_digest.startsWith('sha256:') !== prefixed) return 'config_digest is written in another way'
  if (manifest.file_count !== included.length) return `file_count is ${manifest.file_count}, not ${included.length}`
  if (manifest.total_size !== total) return `total_size is ${manifest.total_size}, not ${total}`
  if (paths.size !== manifest.entries.length) return 'entries has a path twice'
  if (included.some(({ digest }) => digest === undefined)) return 'entries: what is included has a digest'
  if (manifest.materialization_path !== config.workdir) return 'materialization_path is not the workdir'
  return undefined
}

function configProblem({ mode }: Deployment, config: Config): string | undefined {
  return mode === 'service' && config.service?.port === undefined ? 'config.service.port is required' : undefined
}

/** `PUT …/bundle`: streamed to disk, compared with the manifest, unpacked, then built. */
export async function uploadBundle(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  const version = versionOf(deployment, call.params['version_id'])
  checkHeaders(call, version)
  const file = join(world.root, `${newId('upload')}.tar`)
  try {
    const bytes = await receive(call.stream, file)
    const payload = `${bytes} ${call.headers['x-nullspace-bundle-digest']}`
    return await once(world, { call, payload, required: true }, async () => {
      await accept(world, { deployment, version, file, bytes })
      return { status: 200, body: versionBody(world, { deployment, version }) }
    })
  } finally {
    await rm(file, { force: true })
  }
}

function checkHeaders({ headers }: PlatformCall, version: Version): void {
  if (headers['content-type'] !== 'application/x-tar') throw invalid('Content-Type has to be application/x-tar.')
  if (headers['content-length'] === undefined) throw invalid('Content-Length is required.')
  if (headers['idempotency-key'] === undefined) throw invalid('The header Idempotency-Key is required.')
  const digest = headers['x-nullspace-bundle-digest']
  if (digest === undefined) throw invalid('The header X-Nullspace-Bundle-Digest is required.')
  if (digest !== version.manifest.bundle_digest) {
    throw invalid('X-Nullspace-Bundle-Digest is not the bundle_digest of the version manifest.')
  }
}

async function accept(
  world: World,
  upload: { deployment: Deployment; version: Version; file: string; bytes: string },
): Promise<void> {
  const { deployment, version, file, bytes } = upload
  if (version.status !== 'created') {
    throw new Refusal(409, 'upload_conflict', { message: 'This version has its bundle; versions are immutable.' })
  }
  const problem = await compare(file, { manifest: version.manifest, bytes, scheme: world.profile.digest })
  if (problem) throw invalid(`The bundle is not as its manifest says: ${problem}.`)
  await mkdir(join(world.root, deployment.id), { recursive: true })
  await unpack(file, version.folder)
  version.status = 'building'
  version.buildId = newId('adpb')
  deployment.uploads++
  const built = build(world, { deployment, version })
  if (world.profile.upload === 'building') inBackground(world, built)
  else await built
}

async function build(world: World, of: { deployment: Deployment; version: Version }): Promise<void> {
  const { deployment, version } = of
  const lastsMs = world.profile.build === 'hangs' ? hangsMs : world.buildMs
  await sleep(lastsMs, undefined, { signal: world.closing.signal })
  if (world.profile.build === 'fails') {
    version.status = 'failed'
    version.failure = 'install: no matching distribution found'
    return
  }
  activate(world, { deployment, version })
  if (world.profile.overtaken) publishElsewhere(world, deployment)
}

/** Somebody else makes a version of what is active, which becomes the active one. */
export function publishElsewhere(world: World, deployment: Deployment): string {
  const { manifest, config, cachePolicy, folder } = versionOf(deployment, deployment.active)
  const theirs = { ...config, name: 'theirs' }
  const version = newVersion(world, { deployment, manifest, config: theirs, cachePolicy, folder })
  activate(world, { deployment, version })
  return version.id
}

/** Not documented, as the list below is not: the obvious addresses. */
export function getVersion(world: World, { params }: PlatformCall): PlatformReply {
  if (!world.profile.pages.version) throw missing('page')
  const deployment = deploymentOf(world, params['deployment_id'])
  return { status: 200, body: versionBody(world, { deployment, version: versionOf(deployment, params['version_id']) }) }
}

export function listVersions(world: World, { params, query }: PlatformCall): PlatformReply {
  if (!world.profile.pages.versions) throw missing('page')
  const deployment = deploymentOf(world, params['deployment_id'])
  const items = deployment.versions.map((version) => versionBody(world, { deployment, version })).reverse()
  return { status: 200, body: page(items, query) }
}
