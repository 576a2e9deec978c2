import { randomUUID } from 'node:crypto'

/**
 * A form as one Blob whose type names the boundary; files are read as they are sent. `fetch` is not given the form itself:
 * where the connection is cut during an upload, Node's own encoder throws an error that nobody can catch, and the
 * process dies (undici, seen in Node 24.21).
 */
export function multipartOf(form: FormData): Blob {
  const boundary = `agent-deploy-${randomUUID()}`
  const parts: (string | Blob)[] = []
  for (const [name, value] of form) {
    parts.push(`--${boundary}\r\ncontent-disposition: form-data; name="${escape(name)}"`)
    if (typeof value === 'string') parts.push('\r\n\r\n', value.replace(/\r?\n|\r/g, '\r\n'))
    else {
      const type = value.type || 'application/octet-stream'
      parts.push(`; filename="${escape(value.name)}"\r\ncontent-type: ${type}\r\n\r\n`, value)
    }
    parts.push('\r\n')
  }
  parts.push(`--${boundary}--\r\n`)
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` })
}

/** As browsers do it (HTML standard, multipart/form-data encoding algorithm). */
function escape(name: string): string {
  return name.replace(/\r?\n|\r/g, '%0D%0A').replaceAll('"', '%22')
}
