/**
 * Headers of a POSIX tar (IEEE Std 1003.1, pax): ustar where everything fits, an extended header in front where it does
 * not. No owner, no time of day: the same entries give the same bytes.
 */

export interface TarEntry {
  readonly path: string
  readonly mode: number
  /** Of the content that follows; 0 for a symlink. */
  readonly size: number
  readonly symlinkTarget?: string
}

export const blockSize = 512
/** 1980-01-01, as in our zips: Python can't put files from before it into a wheel. */
export const modifiedAt = 315_532_800

const nameLength = 100
const prefixLength = 155
/** Eleven octal digits. */
const largestSize = 0o77777777777

/** The header of an entry, with its extended header where one is needed: whole blocks. */
export function tarHeader(entry: TarEntry): Buffer {
  const path = fitPath(entry.path)
  const link = entry.symlinkTarget === undefined ? '' : fitName(entry.symlinkTarget)
  const records: [string, string][] = []
  if (path === undefined) records.push(['path', entry.path])
  if (link === undefined) records.push(['linkpath', entry.symlinkTarget ?? ''])
  if (entry.size > largestSize) records.push(['size', String(entry.size)])
  const header = ustar({
    name: path?.name ?? plain(entry.path),
    prefix: path?.prefix ?? '',
    mode: entry.mode,
    size: entry.size > largestSize ? 0 : entry.size,
    type: entry.symlinkTarget === undefined ? '0' : '2',
    link: link ?? plain(entry.symlinkTarget ?? ''),
  })
  return records.length === 0 ? header : Buffer.concat([extendedHeader(entry.path, records), header])
}

/** Zeros that fill the last block of a content. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize
}

/** Two blocks of zeros end an archive. */
export const endOfTar: Buffer = Buffer.alloc(2 * blockSize)

/** Only ASCII goes into ustar fields: of everything else the standard does not say how it is read. */
function isPlain(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text)
}

function fitName(text: string): string | undefined {
  return isPlain(text) && text.length <= nameLength ? text : undefined
}

/** As `prefix/name`, split at the first slash that leaves a name short enough. */
function fitPath(path: string): { name: string; prefix: string } | undefined {
  if (!isPlain(path)) return undefined
  if (path.length <= nameLength) return { name: path, prefix: '' }
  const slash = path.indexOf('/', path.length - nameLength - 1)
  if (slash <= 0 || slash > prefixLength || slash === path.length - 1) return undefined
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) }
}

/** What a reader sees that knows no extended headers. */
function plain(text: string): string {
  return text.replace(/[^\x01-\x7f]/g, '_').slice(0, nameLength)
}

function extendedHeader(path: string, records: readonly (readonly [string, string])[]): Buffer {
  const body = Buffer.concat(records.map(([keyword, value]) => paxRecord(keyword, value)))
  const name = `PaxHeaders/${plain(path.slice(path.lastIndexOf('/') + 1))}`.slice(0, nameLength)
  const header = ustar({ name, prefix: '', mode: 0o644, size: body.length, type: 'x', link: '' })
  return Buffer.concat([header, body, Buffer.alloc(paddingOf(body.length))])
}

/** `"<length> <keyword>=<value>\n"`, where the length counts its own digits. */
function paxRecord(keyword: string, value: string): Buffer {
  const rest = Buffer.from(` ${keyword}=${value}\n`)
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function ustar(fields: {
  name: string
  prefix: string
  mode: number
  size: number
  type: '0' | '2' | 'x'
  link: string
}): Buffer {
  // From Node's pool: memory of its own for every header is freed too late.
  const header = Buffer.allocUnsafe(blockSize).fill(0)
  header.write(fields.name, 0, 'latin1')
  header.write(octal(fields.mode, 8), 100, 'latin1')
  header.write(octal(0, 8), 108, 'latin1')
  header.write(octal(0, 8), 116, 'latin1')
  header.write(octal(fields.size, 12), 124, 'latin1')
  header.write(octal(modifiedAt, 12), 136, 'latin1')
  header.write('        ', 148, 'latin1')
  header.write(fields.type, 156, 'latin1')
  header.write(fields.link, 157, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  header.write(octal(0, 8), 329, 'latin1')
  header.write(octal(0, 8), 337, 'latin1')
  header.write(fields.prefix, 345, 'latin1')
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function checksum(header: Buffer): number {
  let sum = 0
  // An iterator would take ten times as long, for every file.
  for (let at = 0; at < header.length; at++) sum += header[at] ?? 0
  return sum
}

/** Octal digits that fill the field but for a NUL. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}
