import { readFile } from 'node:fs/promises'
import type { Environment } from './connect.ts'
import { type Context, readContext } from './context.ts'

/** The context of a step, with the event that GitHub has written to a file. */
export async function readEventContext(env: Environment): Promise<Context> {
  const path = env['GITHUB_EVENT_PATH']
  return readContext(env, path ? JSON.parse(await readFile(path, 'utf8')) : {})
}
