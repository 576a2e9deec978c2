import { writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import type { Bundle, Entry } from '../bundle/bundle.ts'
import { createScanner } from '../bundle/scanner.ts'
import type { Agent } from '../config/config.ts'
import { formatSize } from '../config/units.ts'
import { fail } from '../errors.ts'
import type { Checkout } from '../io.ts'
import type { Attachment, DocumentRules, JsonObject } from '../platforms/platform.ts'
import { canonical, digestOf } from './canonical.ts'
import { inlineFiles } from './inline.ts'
import { readerInside, type Text } from './inside.ts'
import { parseAgentDocument, type Problem } from './parse.ts'

export interface DocumentPacking {
  readonly agent: Agent
  readonly rules: DocumentRules
  readonly checkout: Checkout
  readonly attachments: readonly Attachment[]
  readonly maxBytes: number | undefined
  /** File that is written. */
  readonly out: string
}

export interface PackedDocument {
  readonly bundle: Bundle
  readonly document: JsonObject
}

/**
 * The configuration document of an agent as its platform spells it, and its canonical JSON on disk. Throws
 * `document-invalid` (with file, line and column), `secret-found`, `bundle-invalid`, `bundle-too-large`.
 */
export async function packDocument(packing: DocumentPacking): Promise<PackedDocument> {
  const { agent, rules, attachments, out } = packing
  const read = readDocument(packing)
  checkSecrets(read.texts, agent)
  const { document, problems } = await rules.normalize(read.document, agent.settings, attachments)
  if (problems.length > 0)
    throw fail('bundle-invalid', { agent: agent.name, platform: agent.platform.title, problems: problems.join('; ') })
  const text = canonical(document)
  checkSize(packing, { text, texts: read.texts })
  writeFileSync(out, text)
  const bundle: Bundle = {
    path: out,
    format: 'document',
    digest: digestOf([text, ...attachments.map(({ folder, digest }) => `${folder} ${digest}`).toSorted()].join('\n')),
    size: Buffer.byteLength(text),
    entries: entriesOf(read.texts, attachments),
    warnings: [],
  }
  return { bundle, document }
}

interface Read {
  readonly document: JsonObject
  /** The texts it is made of, by their path below the agent's path. */
  readonly texts: ReadonlyMap<string, Text>
}

function readDocument({ agent, rules, checkout }: DocumentPacking): Read {
  const name = rules.file(agent.settings)
  const file = posix.join(agent.path, name)
  const read = readerInside(checkout, agent.path)
  const found = read(name)
  if ('problem' in found) throw invalid(file, [{ file, line: 1, column: 1, message: found.problem }])
  const result = parseAgentDocument(found.text, file)
  if ('problems' in result) throw invalid(file, result.problems)
  const { document, placeOf } = result.parsed
  const inlined = inlineFiles(document, read)
  if (inlined.problems.length > 0) {
    throw invalid(
      file,
      inlined.problems.map(({ trail, message }) => ({ file, ...placeOf(trail), message })),
    )
  }
  return { document: inlined.document, texts: new Map([[name, found], ...inlined.texts]) }
}

function invalid(file: string, problems: readonly Problem[]) {
  return fail('document-invalid', {
    path: file,
    count: problems.length,
    problems: problems.map((one) => `  ${one.file}:${one.line}:${one.column} ${one.message}`).join('\n'),
  })
}

function checkSecrets(texts: Read['texts'], agent: Agent): void {
  const scanner = createScanner(agent.bundle.allowSecrets)
  for (const [path, { text }] of texts) scanner.look(path, Buffer.from(text))
  const places = scanner.findings()
  if (places.length > 0) throw fail('secret-found', { agent: agent.name, places: places.join(', ') })
}

function checkSize({ agent, maxBytes }: DocumentPacking, made: { text: string; texts: Read['texts'] }): void {
  const size = Buffer.byteLength(made.text)
  if (maxBytes === undefined || size <= maxBytes) return
  const largest = [...made.texts]
    .sort(([, a], [, b]) => b.text.length - a.text.length)
    .slice(0, 3)
    .map(([path, { text }]) => `${path} (${formatSize(Buffer.byteLength(text))})`)
  throw fail('bundle-too-large', {
    agent: agent.name,
    actual: formatSize(size),
    limit: formatSize(maxBytes),
    largest: largest.join(', '),
  })
}

/** What the document was made of, for the summary. */
function entriesOf(texts: Read['texts'], attachments: readonly Attachment[]): readonly Entry[] {
  const files = [...texts].map(([path, { text, state }]) => {
    return { path, reason: state, size: Buffer.byteLength(text), digest: digestOf(text) }
  })
  const folders = attachments.map(({ folder, size, digest }) => {
    return { path: `${folder}/`, reason: 'tracked', size, digest } as const
  })
  return [...files, ...folders].map((entry) => ({ ...entry, included: true, mode: 0o644 }))
}
