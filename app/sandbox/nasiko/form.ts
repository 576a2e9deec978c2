import { valid } from 'semver'
import type { PlatformCall } from '../platform-server.ts'
import type { NasikoProfile } from './profile.ts'
import { detail, type FieldProblem, problems } from './reply.ts'

/** The multipart form of `PUT …/update`, checked. */
export interface UpdateForm {
  readonly file: Buffer | undefined
  readonly version: string
  readonly strategy: 'rolling' | 'blue-green'
  readonly cleanupOld: boolean
  readonly description: string | undefined
}

/** Nasiko refuses archives above 100 MB itself; the form around one is small. A larger body is not read to its end. */
const maxBody = 128 * 1024 * 1024
const keywords: readonly string[] = ['auto', 'major', 'minor', 'patch']
/** As pydantic reads a boolean. */
const booleans: Readonly<Record<string, boolean>> = {
  ...{ true: true, '1': true, on: true, yes: true, t: true, y: true },
  ...{ false: false, '0': false, off: false, no: false, f: false, n: false },
}

/** Stricter than the server that it stands for: fields and values that the documents do not name are refused. */
export async function readUpdateForm(call: PlatformCall, profile: NasikoProfile): Promise<UpdateForm> {
  const form = await parseForm(call)
  const wrong: FieldProblem[] = []
  const known = ['file', 'version', 'update_strategy', 'cleanup_old']
  if (profile.description === 'accepted') known.push('description')
  for (const name of new Set(form.keys())) {
    if (!known.includes(name)) wrong.push(problem(name, 'Extra inputs are not permitted', 'extra_forbidden'))
    else if (form.getAll(name).length > 1) wrong.push(problem(name, 'Given more than once', 'value_error'))
  }
  const text = (name: string, otherwise: string) => {
    const value = form.get(name) ?? otherwise
    if (typeof value === 'string') return value
    wrong.push(problem(name, 'Input should be a valid string', 'string_type'))
    return otherwise
  }
  const version = text('version', 'auto')
  if (!keywords.includes(version) && valid(version) !== version)
    wrong.push(problem('version', 'Not one of auto, major, minor, patch, and no semantic version', 'value_error'))
  const strategy = text('update_strategy', 'rolling')
  if (strategy !== 'rolling' && strategy !== 'blue-green')
    wrong.push(problem('update_strategy', 'Not one of rolling, blue-green', 'value_error'))
  const cleanupOld = booleans[text('cleanup_old', 'true').toLowerCase()]
  if (cleanupOld === undefined)
    wrong.push(problem('cleanup_old', 'Input should be a valid boolean, unable to interpret input', 'bool_parsing'))
  const file = form.get('file')
  if (typeof file === 'string') wrong.push(problem('file', 'Expected UploadFile, received: str', 'value_error'))
  const description = form.has('description') ? text('description', '') : undefined
  if (wrong.length > 0) throw problems(wrong)
  return {
    file: await archiveOf(file),
    version,
    strategy: strategy === 'blue-green' ? strategy : 'rolling',
    cleanupOld: cleanupOld ?? true,
    description,
  }
}

function problem(name: string, msg: string, type: string): FieldProblem {
  return { loc: ['body', name], msg, type }
}

async function parseForm(call: PlatformCall): Promise<FormData> {
  const form = await formOf(call, maxBody)
  if (form === 'no form') throw problems([problem('', 'Expected multipart/form-data', 'value_error')])
  if (form === 'too large') throw detail(413, 'Request Entity Too Large')
  if (form === 'broken') throw detail(400, 'There was an error parsing the body')
  return form
}

/** The form in a request's body; one that is too large is not read to its end. */
export async function formOf(
  call: PlatformCall,
  mostBytes: number,
): Promise<FormData | 'no form' | 'too large' | 'broken'> {
  const type = call.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return 'no form'
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of call.stream) {
    size += (chunk as Buffer).length
    if (size > mostBytes) return 'too large'
    chunks.push(chunk as Buffer)
  }
  try {
    return await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData()
  } catch {
    return 'broken'
  }
}

async function archiveOf(file: File | string | null): Promise<Buffer | undefined> {
  if (file === null || typeof file === 'string') return undefined
  if (file.name === '') throw detail(400, 'No file provided')
  if (!file.name.endsWith('.zip')) throw detail(400, 'Only .zip files are supported')
  return Buffer.from(await file.arrayBuffer())
}
