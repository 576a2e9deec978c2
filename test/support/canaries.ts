import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

/** So much of a canary is a leak, wherever it was cut. */
const enough = 12

/** A value that may be nowhere but where it belongs, with the forms that it is sent in. */
export interface Canary {
  readonly name: string
  readonly value: string
}

/** Where pieces of canaries are: what, and in which output; the first of each. */
export function leaks(outputs: Readonly<Record<string, string>>, canaries: readonly Canary[]): string[] {
  const pieces = new Map(canaries.flatMap(({ name, value }) => piecesOf(value).map((piece) => [piece, name] as const)))
  const found = new Map<string, string>()
  for (const [where, text] of Object.entries(outputs)) {
    for (let at = 0; at + enough <= text.length; at++) {
      const name = pieces.get(text.slice(at, at + enough))
      const leak = `${name} in ${where}`
      if (name !== undefined && !found.has(leak)) found.set(leak, around(text, at))
    }
  }
  return [...found].map(([leak, text]) => `${leak}: …${text}…`)
}

function piecesOf(value: string): readonly string[] {
  const forms = [
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    JSON.stringify(value).slice(1, -1),
  ]
  const lines = forms.flatMap((form) => form.split(/\r?\n|\\n/)).filter((line) => !line.startsWith('-----'))
  const parts = lines.flatMap((line) =>
    Array.from({ length: Math.max(0, line.length - enough + 1) }, (_, at) => line.slice(at, at + enough)),
  )
  return [...new Set(parts)]
}

function around(text: string, at: number): string {
  return text.slice(Math.max(0, at - 60), at + 30).replace(/\s+/g, ' ')
}

/** Every file below a folder, as bytes: the database with what its log still holds. */
export function filesIn(folder: string, isMeant = (_path: string) => true): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && isMeant(join(entry.parentPath, entry.name)),
  )
  return Object.fromEntries(
    files.map((entry) => [`file ${entry.name}`, readFileSync(join(entry.parentPath, entry.name), 'latin1')]),
  )
}

/** Every row of every table, bytes as text. */
export async function rowsIn(url: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const tables = await client.query<{ name: string }>(
      "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_schema IN ('agent_deploy', 'pgboss', 'public')",
    )
    const texts: Record<string, string> = {}
    for (const { name } of tables.rows) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`)
      texts[`table ${name}`] = JSON.stringify(rows, (_, value: unknown) =>
        Buffer.isBuffer(value)
          ? value.toString('latin1')
          : isBytes(value)
            ? Buffer.from(value.data).toString('latin1')
            : value,
      )
    }
    return texts
  } finally {
    await client.end()
  }
}

/** What `JSON.stringify` makes of a Buffer before the replacer sees it. */
function isBytes(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
}
