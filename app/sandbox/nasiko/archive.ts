import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { readZip, type ZipMember } from '../unzip.ts'

/** The first generation's own limits of a source archive; what an archive unpacks to only for this machine's sake. */
const firstLimits = { bytes: 100 * 1024 * 1024, entries: 1000, unpacked: 1024 * 1024 * 1024 }
const entryPoints: readonly string[] = ['src/main.py', 'main.py', 'src/__main__.py', '__main__.py']

/** Unpacks an archive below `folder` and returns where the agent's files lie. Throws an Error that says what is wrong. */
export function unpackArchive(archive: Buffer, folder: string, limits = firstLimits): string {
  if (archive.length > limits.bytes) throw new Error(`File too large: ${archive.length} bytes (max: ${limits.bytes})`)
  const members = membersOf(archive)
  if (members.length > limits.entries) throw new Error(`Zip file contains too many files (max: ${limits.entries})`)
  for (const { name } of members) {
    if (name.startsWith('/') || name.includes('..') || name.includes('\\'))
      throw new Error(`Unsafe path in zip: ${name}`)
  }
  if (members.reduce((sum, { size }) => sum + size, 0) > limits.unpacked)
    throw new Error(`Zip file unpacks to more than ${limits.unpacked} bytes`)
  mkdirSync(folder, { recursive: true })
  for (const member of members) {
    const path = join(folder, member.name)
    mkdirSync(member.name.endsWith('/') ? path : dirname(path), { recursive: true })
    // As Python's zipfile does it: modes are lost, and a link becomes a file that holds its target.
    if (!member.name.endsWith('/')) writeFileSync(path, member.read())
  }
  return agentFolder(folder)
}

/** One sentence per rule that the files break. */
export function checkStructure(folder: string): readonly string[] {
  const dockerfile = textOf(join(folder, 'Dockerfile'))
  const main = entryPoints.map((path) => join(folder, path)).find((path) => existsSync(path))
  return [
    dockerfile === undefined && 'Dockerfile is missing',
    dockerfile?.trim() === '' && 'Dockerfile is empty',
    dockerfile && !/FROM/i.test(dockerfile) && 'Dockerfile missing FROM instruction',
    checkCompose(textOf(join(folder, 'docker-compose.yml'))),
    main === undefined && 'main.py entry point not found (checked src/main.py and main.py)',
    main !== undefined && textOf(main)?.trim() === '' && 'main.py is empty',
  ].filter((problem) => typeof problem === 'string')
}

function membersOf(archive: Buffer): readonly ZipMember[] {
  try {
    return readZip(archive)
  } catch (error) {
    throw new Error(`Invalid zip file (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** The files may lie in one folder of the archive; one level is searched. */
function agentFolder(folder: string): string {
  const holdsAgent = (path: string) =>
    existsSync(join(path, 'Dockerfile')) || existsSync(join(path, 'docker-compose.yml'))
  if (holdsAgent(folder)) return folder
  const folders = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isDirectory())
  return folders.find(holdsAgent) ?? folder
}

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function checkCompose(text: string | undefined): string | false {
  if (text === undefined) return 'docker-compose.yml is missing'
  if (text.trim() === '') return 'docker-compose.yml is empty'
  try {
    const compose: unknown = parse(text)
    const whole = typeof compose === 'object' && compose !== null && 'services' in compose
    return whole ? false : 'docker-compose.yml missing services section'
  } catch (error) {
    return `Invalid docker-compose.yml syntax: ${error instanceof Error ? error.message : String(error)}`
  }
}
