import { open } from 'node:fs/promises'

/** A request's body that is a file: read as it is sent, whatever its size. */
export interface FileBody {
  readonly file: string
  readonly size: number
}

/** Fewer, larger pieces: at 64 KiB, as streams and Blobs read, an upload takes twice as long. */
const pieceBytes = 1024 * 1024

/** The file piece by piece; the next is read while one is sent. */
export async function* piecesOf({ file }: FileBody): AsyncGenerator<Uint8Array> {
  const handle = await open(file, 'r')
  const readPiece = async () => {
    const buffer = Buffer.allocUnsafeSlow(pieceBytes)
    const { bytesRead } = await handle.read(buffer, 0, pieceBytes, null)
    return buffer.subarray(0, bytesRead)
  }
  const read = () => {
    const piece = readPiece()
    // Its failure is told when it is its turn, not before.
    piece.catch(() => undefined)
    return piece
  }
  let coming = read()
  try {
    for (;;) {
      const piece = await coming
      if (piece.length === 0) return
      coming = read()
      yield piece
    }
  } finally {
    // Also when nobody wants the rest: the file may not be closed while it is read.
    await coming.catch(() => undefined)
    await handle.close()
  }
}
