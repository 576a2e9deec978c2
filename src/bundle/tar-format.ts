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

/** Writes it at `at`, and tells where it ends. */
export function writeTarHeader(target: Buffer, at: number, entry: TarEntry): number {
  if (!isShort(entry)) return at + tarHeader(entry).copy(target, at)
  fillUstar(target.subarray(at, at + blockSize), {
    name: entry.path,
    prefix: '',
    mode: entry.mode,
    size: entry.size,
    type: '0',
    link: '',
  })
  return at + blockSize
}

/** How much room it takes. */
export function tarHeaderBytes(entry: TarEntry): number {
  return isShort(entry) ? blockSize : tarHeader(entry).length
}

/** As nearly all are. */
function isShort({ path, size, symlinkTarget }: TarEntry): boolean {
  return symlinkTarget === undefined && path.length <= nameLength && size <= largestSize && isPlain(path)
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

interface Fields {
  readonly name: string
  readonly prefix: string
  readonly mode: number
  readonly size: number
  readonly type: '0' | '2' | 'x'
  readonly link: string
}

function ustar(fields: Fields): Buffer {
  // From Node's pool: memory of its own for every header is freed too late.
  return fillUstar(Buffer.allocUnsafe(blockSize), fields)
}

function fillUstar(header: Buffer, { name, prefix, mode, size, type, link }: Fields): Buffer {
  alike.copy(header)
  header.write(name, 0, 'latin1')
  writeOctal(header, { value: mode, at: 100, digits: 7 })
  writeOctal(header, { value: size, at: 124, digits: 11 })
  header.write(type, 156, 'latin1')
  if (link !== '') header.write(link, 157, 'latin1')
  if (prefix !== '') header.write(prefix, 345, 'latin1')
  // Of what differs only: to add up 512 bytes for every file would take most of the time.
  const sum =
    alikeSum +
    sumOf(header, 0, name.length) +
    sumOf(header, 100, 107) +
    sumOf(header, 124, 135) +
    sumOf(header, 156, 157 + link.length) +
    sumOf(header, 345, 345 + prefix.length)
  writeOctal(header, { value: sum, at: 148, digits: 6 })
  header[154] = 0
  return header
}

const space = 0x20
const zero = 0x30

/** What all headers have in common: no owner, one time, spaces for the checksum, `ustar`. */
const alike = makeAlike()
const alikeSum = sumOf(alike, 0, blockSize)

function makeAlike(): Buffer {
  const header = Buffer.alloc(blockSize)
  for (const at of [108, 116, 329, 337]) writeOctal(header, { value: 0, at, digits: 7 })
  writeOctal(header, { value: modifiedAt, at: 136, digits: 11 })
  header.fill(space, 148, 156)
  header.write('ustar\x0000', 257, 'latin1')
  return header
}

function sumOf(header: Buffer, from: number, to: number): number {
  let sum = 0
  for (let at = from; at < to; at++) sum += header[at] ?? 0
  return sum
}

/** Octal digits; the NUL behind them is there. As text it would leave a dozen strings behind for every file. */
function writeOctal(header: Buffer, { value, at, digits }: { value: number; at: number; digits: number }): void {
  let left = value
  for (let digit = digits - 1; digit >= 0; digit--) {
    header[at + digit] = zero + (left % 8)
    left = Math.floor(left / 8)
  }
}
