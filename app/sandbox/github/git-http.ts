import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Git's smart HTTP by git's own CGI program. Resolves when git is done; the caller ends the response, so that whoever
 * pushes hears of it only once everybody else has.
 */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  of: { directory: string; path: string; query: string; login: string | undefined },
): Promise<void> {
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: of.directory,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: of.path,
      QUERY_STRING: of.query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      ...(of.login ? { REMOTE_USER: of.login } : {}),
      GIT_CONFIG_COUNT: '3',
      ...{ GIT_CONFIG_KEY_0: 'http.receivepack', GIT_CONFIG_VALUE_0: 'true' },
      ...{ GIT_CONFIG_KEY_1: 'uploadpack.allowFilter', GIT_CONFIG_VALUE_1: 'true' },
      ...{ GIT_CONFIG_KEY_2: 'uploadpack.allowAnySHA1InWant', GIT_CONFIG_VALUE_2: 'true' },
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => undefined)
  let head = Buffer.alloc(0)
  let begun = false
  child.stdout.on('data', (chunk: Buffer) => {
    if (begun) return void response.write(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    begun = true
    writeHead(response, head.toString('latin1', 0, end))
    response.write(head.subarray(end + 4))
  })
  await new Promise((resolve) => child.once('close', resolve))
  if (!begun) response.writeHead(500)
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200
  for (const line of head.split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/s)
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.writeHead(status)
}
