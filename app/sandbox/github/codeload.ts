import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { World } from './state.ts'

/** The archive that an earlier reply pointed to. False where nothing was promised under this token. */
export async function sendArchive(
  response: ServerResponse,
  { world, url }: { world: World; url: URL },
): Promise<boolean> {
  const promised = world.archives.get(url.searchParams.get('token') ?? '')
  if (!promised) return false
  const { repository, sha } = promised
  response.writeHead(200, { 'content-type': 'application/x-gzip' })
  const folder = `--prefix=${repository.owner}-${repository.name}-${sha.slice(0, 7)}/`
  const child = execFile('git', ['-C', repository.directory, 'archive', '--format=tar.gz', folder, sha], {
    encoding: 'buffer',
    maxBuffer: 2 ** 30,
  })
  child.stdout?.pipe(response)
  await once(child, 'close')
  return true
}
