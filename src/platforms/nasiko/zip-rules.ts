import { formatSize } from '../../config/units.ts'
import type { ShippedFile } from '../bundle-rules.ts'

/** Nasiko's own limits of a source archive (its upload service): checked here so that nothing is uploaded in vain. */
export const maxBytes = 100 * 1024 * 1024
export const maxEntries = 1000
/** Of the second generation, unpacked. */
const maxUnpacked = 200 * 1024 * 1024

const entryPoints: readonly string[] = ['src/main.py', 'main.py', 'src/__main__.py', '__main__.py']

/** One sentence per rule that the files break; none when all is well. */
export async function inspectZip(files: readonly ShippedFile[]): Promise<readonly string[]> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const problems: string[] = [...(await inspectDockerfile(byPath.get('Dockerfile')))]
  const compose = byPath.get('docker-compose.yml')
  if (!compose) problems.push('there is no "docker-compose.yml" at the root of the agent’s path')
  else if (!/^["']?services["']?\s*:/m.test(await compose.head()))
    problems.push('"docker-compose.yml" has no `services`')
  const main = entryPoints.map((path) => byPath.get(path)).find((file) => file !== undefined)
  if (!main)
    problems.push(`there is no entry point; one of ${entryPoints.map((path) => `"${path}"`).join(', ')} must be there`)
  else if ((await main.head()).trim() === '') problems.push(`the entry point "${main.path}" is empty`)
  const dotted = files.find(({ path }) => path.includes('..'))
  if (dotted) problems.push(`the path "${dotted.path}" has "..", which Nasiko takes for a way out of the archive`)
  return problems
}

/** The second generation wants a Dockerfile, and what unpacks to a reasonable size; its image is all that it looks at. */
export async function inspectSecondZip(files: readonly ShippedFile[]): Promise<readonly string[]> {
  const problems = [...(await inspectDockerfile(files.find(({ path }) => path === 'Dockerfile')))]
  const size = files.reduce((sum, file) => sum + file.size, 0)
  if (size > maxUnpacked)
    problems.push(`the files are ${formatSize(size)} unpacked; Nasiko takes ${formatSize(maxUnpacked)} at most`)
  return problems
}

async function inspectDockerfile(dockerfile: ShippedFile | undefined): Promise<readonly string[]> {
  if (!dockerfile) return ['there is no "Dockerfile" at the root of the agent’s path']
  return /^\s*FROM\s+\S/im.test(await dockerfile.head()) ? [] : ['"Dockerfile" has no FROM line']
}
