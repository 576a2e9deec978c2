import { closeSync, openSync, read, write } from 'node:fs'
import { promisify } from 'node:util'

const readAt = promisify(read)
const writeAt = promisify(write)

/** A new file, written front to back, without holding up whoever else is at work. */
export interface OutFile {
  /** Bytes so far. */
  bytes(): number
  append(bytes: Buffer): Promise<void>
  /** Replaces bytes that were written before. */
  replace(bytes: Buffer, at: number): Promise<void>
  /** Fills the buffer; less is read only at the end of the file. */
  readBack(buffer: Buffer, at: number): Promise<Buffer>
  /** Not while anything is being written: that would hit whatever gets the same number next. */
  close(): void
}

export function createOutFile(file: string): OutFile {
  const fd = openSync(file, 'wx+')
  let bytes = 0
  let open = true

  async function replace(content: Buffer, at: number): Promise<void> {
    let done = 0
    while (done < content.length) {
      const { bytesWritten } = await writeAt(fd, content, done, content.length - done, at + done)
      done += bytesWritten
    }
  }

  return {
    bytes: () => bytes,
    async append(content) {
      const at = bytes
      bytes += content.length
      await replace(content, at)
    },
    replace,
    async readBack(buffer, at) {
      const { bytesRead } = await readAt(fd, buffer, 0, buffer.length, at)
      return buffer.subarray(0, bytesRead)
    },
    close() {
      if (open) closeSync(fd)
      open = false
    },
  }
}
