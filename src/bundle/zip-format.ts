/**
 * Records of a ZIP archive (PKWARE APPNOTE 6.3): no timestamps, no extra fields but zip64, Unix modes, UTF-8 names.
 * The same entries give the same bytes.
 */

export interface ZipEntry {
  /** A text: the bytes of a name would keep the whole pool that they were cut from, 64 kB each. */
  readonly name: string
  /** Permission bits and file type, as in stat. */
  readonly unixMode: number
  readonly crc: number
  readonly method: 0 | 8
  readonly compressed: number
  readonly size: number
  readonly offset: number
}

/** 1980-01-01 00:00, the first moment the format knows. */
const dosDate = 0x0021
const dosTime = 0
const utf8Names = 0x0800
const madeByUnix = 3 << 8
const version20 = 20
const version45 = 45
const max16 = 0xffff
const max32 = 0xffffffff

export const symlinkType = 0o120000
export const fileType = 0o100000

/** Sizes that may not fit 32 bits need the long form already in front of the data. */
export function needsZip64(size: number): boolean {
  return size >= max32 - 0x10000
}

export function localHeader(entry: Omit<ZipEntry, 'offset' | 'unixMode'>, zip64: boolean): Buffer {
  const extra = zip64 ? zip64Extra([entry.size, entry.compressed]) : Buffer.alloc(0)
  const name = Buffer.from(entry.name)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(zip64 ? version45 : version20, 4)
  header.writeUInt16LE(utf8Names, 6)
  header.writeUInt16LE(entry.method, 8)
  header.writeUInt16LE(dosTime, 10)
  header.writeUInt16LE(dosDate, 12)
  header.writeUInt32LE(entry.crc, 14)
  header.writeUInt32LE(zip64 ? max32 : entry.compressed, 18)
  header.writeUInt32LE(zip64 ? max32 : entry.size, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

/** The header of a content that is still coming, written at `at`; tells where it ends. */
export function writeLocalHeader(target: Buffer, at: number, given: { name: string; long: boolean }): number {
  const extra = given.long ? zip64Extra([0, 0]) : undefined
  target.fill(0, at, at + localLength)
  target.writeUInt32LE(0x04034b50, at)
  target.writeUInt16LE(extra ? version45 : version20, at + 4)
  target.writeUInt16LE(utf8Names, at + 6)
  target.writeUInt16LE(dosTime, at + 10)
  target.writeUInt16LE(dosDate, at + 12)
  const name = target.write(given.name, at + localLength)
  target.writeUInt16LE(name, at + 26)
  const end = at + localLength + name
  if (!extra) return end
  target.writeUInt16LE(extra.length, at + 28)
  return end + extra.copy(target, end)
}

const localLength = 30

/** The most that it may take: UTF-8 has at most three bytes for what JavaScript counts as one. */
export function localHeaderBytes(name: string): number {
  return localLength + 3 * name.length + 20
}

/** What is known of a short content only when its header is there already. */
export function fillLocalHeader(header: Buffer, entry: Pick<ZipEntry, 'crc' | 'method' | 'compressed' | 'size'>): void {
  header.writeUInt16LE(entry.method, 8)
  header.writeUInt32LE(entry.crc, 14)
  header.writeUInt32LE(entry.compressed, 18)
  header.writeUInt32LE(entry.size, 22)
}

export function centralHeader(entry: ZipEntry): Buffer {
  const header = Buffer.alloc(centralHeaderBytes(entry.name))
  return header.subarray(0, writeCentralHeader(header, 0, entry))
}

/** The most that it may take. */
export function centralHeaderBytes(name: string): number {
  return centralLength + 3 * name.length + 28
}

/** Written at `at`; tells where it ends. */
export function writeCentralHeader(target: Buffer, at: number, entry: ZipEntry): number {
  const { name, crc, method, compressed, size, offset, unixMode } = entry
  const long = size >= max32 || compressed >= max32 || offset >= max32 || needsZip64(size)
  const extra = long ? zip64Extra([size, compressed, offset]) : undefined
  target.fill(0, at, at + centralLength)
  target.writeUInt32LE(0x02014b50, at)
  target.writeUInt16LE(madeByUnix | (long ? version45 : version20), at + 4)
  target.writeUInt16LE(long ? version45 : version20, at + 6)
  target.writeUInt16LE(utf8Names, at + 8)
  target.writeUInt16LE(method, at + 10)
  target.writeUInt16LE(dosTime, at + 12)
  target.writeUInt16LE(dosDate, at + 14)
  target.writeUInt32LE(crc, at + 16)
  target.writeUInt32LE(long ? max32 : compressed, at + 20)
  target.writeUInt32LE(long ? max32 : size, at + 24)
  const nameBytes = target.write(name, at + centralLength)
  target.writeUInt16LE(nameBytes, at + 28)
  target.writeUInt16LE(extra?.length ?? 0, at + 30)
  target.writeUInt32LE((unixMode << 16) >>> 0, at + 38)
  target.writeUInt32LE(long ? max32 : offset, at + 42)
  const end = at + centralLength + nameBytes
  return extra ? end + extra.copy(target, end) : end
}

const centralLength = 46

export function endOfDirectory(directory: { count: number; size: number; offset: number }): Buffer {
  const { count, size, offset } = directory
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, max16), 8)
  end.writeUInt16LE(Math.min(count, max16), 10)
  end.writeUInt32LE(Math.min(size, max32), 12)
  end.writeUInt32LE(Math.min(offset, max32), 16)
  if (count < max16 && size < max32 && offset < max32) return end
  return Buffer.concat([zip64End(directory), end])
}

function zip64End({ count, size, offset }: { count: number; size: number; offset: number }): Buffer {
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(madeByUnix | version45, 12)
  record.writeUInt16LE(version45, 14)
  record.writeBigUInt64LE(BigInt(count), 24)
  record.writeBigUInt64LE(BigInt(count), 32)
  record.writeBigUInt64LE(BigInt(size), 40)
  record.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + size), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator])
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length)
  extra.writeUInt16LE(0x0001, 0)
  extra.writeUInt16LE(8 * values.length, 2)
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index)
  return extra
}
