import { createHash, hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail } from '../errors.ts'
import type { Archive, Look, Packed, Source } from './archive.ts'
import { blockBytes, createBlockWriter } from './block-writer.ts'
import { endOfTar, paddingOf, tarHeader } from './tar-format.ts'

/** Larger files pass through piece by piece. */
const wholeBytes = blockBytes / 2
/** Others get a turn after this many pieces of a large file. */
const piecesPerTurn = 8

/** A tar being written to a file. Every file is read once, into the block that is written; nothing is copied. */
export function createTar(file: string): Archive {
  const out = createBlockWriter(file)

  async function put(bytes: Buffer): Promise<void> {
    const room = await out.room(bytes.length)
    bytes.copy(room)
    out.advance(bytes.length)
  }

  async function addSymlink(source: Source, symlinkTarget: string): Promise<Packed> {
    await put(tarHeader({ path: source.path, mode: source.mode, size: 0, symlinkTarget }))
    return { digest: `sha256:${hash('sha256', symlinkTarget)}`, size: Buffer.byteLength(symlinkTarget) }
  }

  async function addWhole(source: Source, given: { header: Buffer; input: number; size: number; look: Look }) {
    const { header, size } = given
    // One byte more is asked for than there should be: a file that has grown meanwhile shows.
    const padded = size + Math.max(paddingOf(size), 1)
    const room = await out.room(header.length + padded)
    header.copy(room)
    const end = header.length + size
    if (readFully(given.input, { room, from: header.length, to: end + 1 }) !== size) throw changed(source)
    const content = room.subarray(header.length, end)
    given.look(source.path, content)
    room.fill(0, end)
    out.advance(end + paddingOf(size))
    return { digest: `sha256:${hash('sha256', content)}`, size }
  }

  async function addInPieces(source: Source, given: { header: Buffer; input: number; size: number; look: Look }) {
    await put(given.header)
    const digest = createHash('sha256')
    let size = 0
    for (let turn = 1; ; turn++) {
      const room = await out.room(blockBytes)
      const piece = room.subarray(0, readFully(given.input, { room, from: 0, to: room.length }))
      if (piece.length === 0) break
      size += piece.length
      if (size > given.size) throw changed(source)
      given.look(source.path, piece)
      digest.update(piece)
      out.advance(piece.length)
      if (turn % piecesPerTurn === 0) await nextTurn()
    }
    if (size !== given.size) throw changed(source)
    await put(Buffer.alloc(paddingOf(size)))
    return { digest: `sha256:${digest.digest('hex')}`, size }
  }

  return {
    bytes: out.bytes,

    async add(source, look) {
      if ('symlink' in source.content) return await addSymlink(source, source.content.symlink)
      const { size } = source.content
      const header = tarHeader({ path: source.path, mode: source.mode, size })
      const input = openSync(source.content.file, 'r')
      try {
        const given = { header, input, size, look }
        return size > wholeBytes ? await addInPieces(source, given) : await addWhole(source, given)
      } finally {
        closeSync(input)
      }
    },

    async finish() {
      await put(endOfTar)
      return await out.finish()
    },

    close: out.close,
  }
}

/** Fills the room; less is read only at the end of the file. */
function readFully(fd: number, { room, from, to }: { room: Buffer; from: number; to: number }): number {
  let at = from
  while (at < to) {
    const read = readSync(fd, room, at, to - at, null)
    if (read === 0) break
    at += read
  }
  return at - from
}

function changed(source: Source) {
  return fail('file-changed', { path: source.path })
}
