import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Package lists and a large package over a slow line. */
const patienceMs = 10 * 60_000

/**
 * Installs a Debian package unless `isThere`; several test files may ask at once. Returns why it can't be, or undefined when
 * the package is there. In CI a missing package is an error: nothing is left out there.
 */
export async function ensureDebianPackage(
  name: string,
  isThere: () => boolean | Promise<boolean>,
): Promise<string | undefined> {
  if (await isThere()) return undefined
  const reason = cannot(name) ?? (await alone(name, () => install(name, isThere)))
  if (reason !== undefined && process.env['CI']) throw new Error(`In CI nothing is left out: ${reason}`)
  return reason
}

/** A program of the package with the same name. */
export async function ensureProgram(name: string): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(':')
  return await ensureDebianPackage(name, () => folders.some((folder) => existsSync(join(folder, name))))
}

function cannot(name: string): string | undefined {
  if (!existsSync('/etc/debian_version')) return `${name} is not installed, and this is not Debian`
  if (process.getuid?.() !== 0) return `${name} is not installed, and only root can install it`
  return undefined
}

async function install(name: string, isThere: () => boolean | Promise<boolean>): Promise<string | undefined> {
  if (await isThere()) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...words: string[]) => run('apt-get', ['-q', '-y', ...words], { env, maxBuffer: 2 ** 26 })
  try {
    await apt('install', '--no-install-recommends', name).catch(async () => {
      await apt('update')
      await apt('install', '--no-install-recommends', name)
    })
  } catch (error) {
    const lines = error instanceof Error ? error.message.trim().split('\n') : []
    return `${name} can't be installed: ${lines.at(-1) ?? 'apt-get failed'}`
  }
  return (await isThere()) ? undefined : `${name} was installed and is still not there`
}

/** A folder can only be made once: whoever made it installs, the others wait for it to be gone. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = join(tmpdir(), `agent-deploy-install-${name}`)
  const end = Date.now() + patienceMs
  while (!(await mine(lock))) {
    if (Date.now() > end) throw new Error(`${lock} is in the way; remove it`)
    await sleep(200)
  }
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function mine(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch {
    // Left behind by a run that was killed.
    const made = await stat(lock).catch(() => undefined)
    if (made && Date.now() - made.mtimeMs > patienceMs) await rm(lock, { recursive: true, force: true })
    return false
  }
}
