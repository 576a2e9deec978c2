import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { fail } from './errors.ts'

/** A request's body that is a file: read as it is sent, whatever its size. */
export interface FileBody {
  readonly file: string
  /** What is promised in `content-length`: so much is sent, and no more. */
  readonly size: number
}

/** Fewer, larger pieces: at 64 KiB, as streams and Blobs read, an upload takes half as long again; more only cost memory. */
const pieceBytes = 256 * 1024

/** The file piece by piece; the next is read while one is sent. Throws `file-changed` where it is not what was promised. */
export async function* piecesOf({ file, size }: FileBody): AsyncGenerator<Uint8Array, void> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw fail('file-changed', { path: file }, error)
  })
  let left = size
  let coming = readPiece(handle, left)
  try {
    while (left > 0) {
      const piece = await coming
      if (piece.length === 0) throw fail('file-changed', { path: file })
      left -= piece.length
      coming = readPiece(handle, left)
      // An answer that is there already is read first: to write to a connection that was closed behind an early answer
      // (401, 413) would lose it.
      await setImmediate()
      yield piece
    }
  } finally {
    // Also when nobody wants the rest: the file may not be closed while it is read.
    await coming.catch(() => undefined)
    await handle.close()
  }
}

function readPiece(handle: FileHandle, left: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, left))
  const piece = handle.read(buffer, 0, buffer.length, null).then(({ bytesRead }) => buffer.subarray(0, bytesRead))
  // Its failure is told when it is its turn, not before.
  piece.catch(() => undefined)
  return piece
}
