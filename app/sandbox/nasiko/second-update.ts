import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gt, inc, valid } from 'semver'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { unpackArchive } from './archive.ts'
import { formOf } from './form.ts'
import { now } from './hosting.ts'
import { demandManaged, refusal } from './second-reply.ts'
import { settleBuild } from './second-settle.ts'
import { type Agent2, type BuildRow, newUuid, rowOf, type Sources, type World2 } from './second-state.ts'
import { enqueue } from './worker.ts'

/** Of the whole body, and of what is in it. */
const limits = { bytes: 100 * 1024 * 1024, entries: 1000, unpacked: 200 * 1024 * 1024 }
const parts: readonly string[] = ['source', 'version', 'changelog']

interface Wanted {
  readonly archive: Buffer | undefined
  readonly version: string | undefined
  readonly changelog: string | undefined
}

/** `PUT /api/agents/{id}/update`: queued, with a build to ask for. */
export async function update2(world: World2, call: PlatformCall): Promise<PlatformReply> {
  const agent = demandManaged(world, call)
  const wanted = await readWanted(world, call)
  const from = agent.version
  const to = nextVersion(world, { from, asked: wanted.version })
  if (rowOf(agent, to)) throw refusal(world, 409, `version ${to} already exists for this agent`)
  agent.status = 'deploying'
  agent.version = to
  agent.updates++
  const build: BuildRow = { id: newUuid(), version: to, status: 'queued', createdAt: now(world) }
  agent.builds.push(build)
  const sources: Sources = { version: to, folder: undefined, digest: digestOf(wanted.archive) }
  void enqueue(world, {
    ...{ agent, version: sources, strategy: 'blue-green', cleanupOld: true },
    begin: async () => {
      build.status = 'building'
      sources.folder = await fetchSources(world, { agent, archive: wanted.archive })
    },
    settle: settleBuild(world, {
      agent,
      build,
      change: { kind: 'update', from, sources, changelog: wanted.changelog },
    }),
  })
  const body = { build_id: build.id, agent_id: agent.id, new_version: to, previous_version: from, status: 'queued' }
  return { status: 202, body }
}

async function readWanted(world: World2, call: PlatformCall): Promise<Wanted> {
  const form = await formOf(call, limits.bytes)
  if (form === 'too large') throw refusal(world, 413)
  if (typeof form === 'string') throw refusal(world, 400, 'Invalid `boundary` for `multipart/form-data` request')
  const unknown = [...form.keys()].find((name) => !parts.includes(name))
  if (unknown !== undefined && world.profile.unknownParts === 'refused')
    throw refusal(world, 400, `the form has a part "${unknown}", which means nothing here`)
  const source = form.get('source')
  if (source instanceof File && source.name !== '' && !source.name.endsWith('.zip'))
    throw refusal(world, 400, 'source must be a .zip file')
  const archive = source instanceof File ? Buffer.from(await source.arrayBuffer()) : undefined
  return {
    archive: archive && archive.length > 0 ? archive : undefined,
    version: textOf(form.get('version')),
    changelog: textOf(form.get('changelog')),
  }
}

function textOf(value: string | File | null): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function nextVersion(world: World2, { from, asked }: { from: string; asked: string | undefined }): string {
  if (asked === undefined || asked === 'auto' || asked === 'patch' || asked === 'minor' || asked === 'major') {
    const next = valid(from) && inc(from, asked === 'minor' || asked === 'major' ? asked : 'patch')
    if (next) return next
    throw refusal(world, 400, `current version '${from}' is not valid semver — supply an explicit version (e.g. 1.0.0)`)
  }
  if (!/^\d+\.\d+\.\d+$/.test(asked))
    throw refusal(
      world,
      400,
      'version must be in x.y.z format (e.g. 1.2.3) or a strategy keyword: auto, patch, minor, major',
    )
  if (valid(from) && !gt(asked, from))
    throw refusal(world, 409, `version ${asked} must be greater than current ${from}`)
  return asked
}

/** Where the sources lie once they are there. Throws an Error that says why there are none: the build has failed. */
async function fetchSources(
  world: World2,
  { agent, archive }: { agent: Agent2; archive: Buffer | undefined },
): Promise<string> {
  const place = join(world.root, agent.id, newUuid())
  if (!archive && !agent.github) throw new Error('no source provided and no GitHub source on record')
  const folder = archive ? unpackArchive(archive, place, limits) : await clone(agent.github?.cloneUrl ?? '', place)
  if (!existsSync(join(folder, 'Dockerfile'))) throw new Error('no Dockerfile found in source')
  return folder
}

/** Its default branch, whatever that is. */
async function clone(cloneUrl: string, folder: string): Promise<string> {
  const env = {
    ...process.env,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  }
  try {
    await promisify(execFile)('git', ['clone', '-q', '--depth', '1', cloneUrl, folder], { env })
  } catch {
    // Git's own words would show the address, which may hold a credential.
    throw new Error('github tarball download failed')
  }
  return folder
}

function digestOf(archive: Buffer | undefined): string | undefined {
  return archive && `sha256:${createHash('sha256').update(archive).digest('hex')}`
}
