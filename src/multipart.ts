import { createHash } from 'node:crypto'
import type { FileBody } from './file-body.ts'

/** One field of a form: text, or a file that is read as it is sent. */
export type FormField =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly fileName: string; readonly type: string; readonly file: FileBody }

export interface Multipart {
  /** The content type, with the boundary. */
  readonly type: string
  /** Bytes of all pieces. */
  readonly size: number
  readonly pieces: readonly (Uint8Array | FileBody)[]
}

/**
 * A form in pieces (RFC 7578), files unread. `fetch` is given neither a FormData nor a Blob: it would hold the file in memory
 * as a whole, and where the connection is cut during an upload, Node's own encoder of forms throws an error that nobody
 * can catch (undici, seen in Node 24.21). The boundary is made of the form and not of where its files lie, so that the same
 * request has the same bytes when it is repeated, and on every machine.
 */
export function multipartOf(form: readonly FormField[]): Multipart {
  const boundary = `agent-deploy-${createHash('sha256')
    .update(JSON.stringify(form.map(described)))
    .digest('hex')
    .slice(0, 40)}`
  const pieces: (Uint8Array | FileBody)[] = []
  const write = (text: string) => void pieces.push(Buffer.from(text))
  for (const field of form) {
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${escape(field.name)}"`
    if ('value' in field) write(`${head}\r\n\r\n${field.value.replace(/\r?\n|\r/g, '\r\n')}\r\n`)
    else {
      write(`${head}; filename="${escape(field.fileName)}"\r\ncontent-type: ${field.type}\r\n\r\n`)
      pieces.push(field.file)
      write('\r\n')
    }
  }
  write(`--${boundary}--\r\n`)
  const size = pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.byteLength : piece.size), 0)
  return { type: `multipart/form-data; boundary=${boundary}`, size, pieces }
}

function described(field: FormField): readonly unknown[] {
  if ('value' in field) return [field.name, field.value]
  return [field.name, field.fileName, field.type, field.file.size]
}

/** As browsers do it (HTML standard, multipart/form-data encoding algorithm). */
function escape(name: string): string {
  return name.replace(/\r?\n|\r/g, '%0D%0A').replaceAll('"', '%22')
}
