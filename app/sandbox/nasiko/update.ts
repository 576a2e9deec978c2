import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inc, valid } from 'semver'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { checkStructure, unpackArchive } from './archive.ts'
import { identify } from './auth.ts'
import { readUpdateForm, type UpdateForm } from './form.ts'
import type { NasikoProfile } from './profile.ts'
import { cannot, type Refusal } from './reply.ts'
import { now } from './hosting.ts'
import { settleUpdate } from './settle.ts'
import { type Agent, newId, type Upload, type Version, versionOf, type World } from './state.ts'
import { enqueue } from './worker.ts'

/** `PUT /api/v1/agents/{agent_id}/update` */
export async function update(world: World, call: PlatformCall): Promise<PlatformReply> {
  identify(world, call)
  const form = await readUpdateForm(call, world.profile)
  const id = call.params['agent_id'] ?? ''
  const agent = world.agents.get(id)
  if (!agent)
    throw refusal(world, { status: 404, reason: `Agent ${id} not found in registry`, id, form, to: 'unknown' })
  const from = agent.current
  const to = nextVersion(from, form.version, world.profile)
  const refuse = (reason: string) => refusal(world, { status: 400, reason, id, form, to, from })
  if (!form.file && lastGoodUpload(agent)?.type !== 'github')
    throw refuse('No file provided for update and agent was not originally sourced from GitHub')
  const upload = beginUpload(agent, form.file ? 'agent_update' : 'github')
  const sources = await store(world, { agent, form, to }).catch((error: unknown) => {
    upload.status = 'failed'
    upload.message = error instanceof Error ? error.message : String(error)
    throw refuse(upload.message)
  })
  const version = addVersion(world, { agent, from, to, form, sources })
  const order = { agent, version, strategy: form.strategy, cleanupOld: form.cleanupOld }
  void enqueue(world, { ...order, settle: settleUpdate(world, { agent, version, upload }) })
  return accepted(world.profile, { agent, version, strategy: form.strategy })
}

/** As the documents' table has it; `auto` is `patch`. */
export function nextVersion(from: string, asked: string, profile: Pick<NasikoProfile, 'exactVersions'>): string {
  const plain = from.replace(/^v/, '')
  const base = valid(plain) ?? '1.0.0'
  const exact = valid(asked)
  if (exact !== null && profile.exactVersions === 'taken') return exact
  const part = asked === 'major' || asked === 'minor' ? asked : 'patch'
  return inc(base, part) ?? base
}

/** The newest upload that went well decides where an agent comes from. */
function lastGoodUpload(agent: Agent): Upload | undefined {
  return agent.uploads.findLast(({ status }) => status !== 'failed')
}

/** A record is used again as long as it did not fail. */
function beginUpload(agent: Agent, type: Upload['type']): Upload {
  const known = lastGoodUpload(agent)
  const upload: Upload = known ?? { type, status: 'orchestration_processing', message: '' }
  upload.status = 'orchestration_processing'
  upload.message = 'Building and deploying'
  if (!known) agent.uploads.push(upload)
  return upload
}

type Sources = Pick<Version, 'folder' | 'digest' | 'commit'>

async function store(world: World, given: { agent: Agent; form: UpdateForm; to: string }): Promise<Sources> {
  const { agent, form, to } = given
  // A name of its own: a version can come back after a rollback, and the old files are still those of the old row.
  const folder = join(world.root, encodeURIComponent(agent.id), newId(`v${to}`))
  const sources = form.file ? unpack(form.file, folder) : await clone(agent, folder)
  const broken = checkStructure(sources.folder ?? folder)
  if (broken.length > 0) throw new Error(`Agent validation failed: ${broken.join('; ')}`)
  return sources
}

function unpack(archive: Buffer, folder: string): Sources {
  const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`
  return { folder: unpackArchive(archive, folder), digest, commit: undefined }
}

async function clone(agent: Agent, folder: string): Promise<Sources> {
  const run = promisify(execFile)
  const { cloneUrl = '', branch = '' } = agent.github ?? {}
  const env = {
    ...process.env,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  }
  try {
    await run('git', ['clone', '-q', '--depth', '1', '--branch', branch, cloneUrl, folder], { env })
  } catch {
    // Git's own words would show the address, which may hold a credential.
    throw new Error(`the branch "${branch}" of the repository could not be cloned`)
  }
  const { stdout } = await run('git', ['-C', folder, 'rev-parse', 'HEAD'], { env })
  rmSync(join(folder, '.git'), { recursive: true, force: true })
  return { folder, digest: undefined, commit: stdout.trim() }
}

function addVersion(
  world: World,
  given: { agent: Agent; from: string; to: string; form: UpdateForm; sources: Sources },
): Version {
  const { agent, from, to, form, sources } = given
  const { buildIds } = world.profile
  const version: Version = {
    ...{ version: to, status: 'building', createdAt: now(world), previous: from, description: form.description },
    buildIds: buildIds ? [newId('build')] : [],
    deploymentIds: buildIds ? [newId('deploy')] : [],
    ...sources,
  }
  if (world.profile.registryFlips === 'at-once') {
    const old = versionOf(agent, from)
    if (old) old.status = 'archived'
    agent.current = to
  }
  agent.versions.push(version)
  agent.updates++
  agent.lastStrategy = form.strategy
  return version
}

function accepted(profile: NasikoProfile, given: { agent: Agent; version: Version; strategy: string }): PlatformReply {
  const { agent, version, strategy } = given
  const body = {
    message: profile.envelope ? 'Agent update initiated' : `Agent ${agent.id} update initiated successfully`,
    agent_id: agent.id,
    new_version: version.version,
    previous_version: version.previous,
    build_id: version.buildIds[0] ?? null,
    deployment_id: version.deploymentIds[0] ?? null,
    update_strategy: strategy,
    status: 'building',
    status_code: profile.acceptedCode,
  }
  if (!profile.envelope) return { status: 200, body }
  return { status: 200, body: { data: body, status_code: profile.acceptedCode, message: 'Update initiated' } }
}

function refusal(
  world: World,
  given: { status: 400 | 404; reason: string; id: string; form: UpdateForm; to: string; from?: string },
): Refusal {
  const facts = {
    agent_id: given.id,
    new_version: given.to,
    previous_version: given.from ?? null,
    build_id: null,
    deployment_id: null,
    update_strategy: given.form.strategy,
  }
  return cannot(world.profile, { status: given.status, reason: given.reason, facts, operation: 'update' })
}
