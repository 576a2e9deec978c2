import { join, posix } from 'node:path'
import type { Bundle, BundleRules } from './bundle/bundle.ts'
import { packBundle } from './bundle/pack.ts'
import type { Agent } from './config/config.ts'
import { formatSize } from './config/units.ts'
import { canonical, digestOf } from './document/canonical.ts'
import { readerInside } from './document/inside.ts'
import { packDocument } from './document/pack.ts'
import type { Checkout, Io } from './io.ts'
import type { Attachment, JsonObject } from './platforms/platform.ts'

/** What a commit ships of an agent, in the form that its platform takes. */
export interface Content {
  readonly bundle: Bundle
  /** The managed keys, on a document platform. */
  readonly document: JsonObject | undefined
  readonly attachments: readonly Attachment[]
  /** What chose the files. */
  readonly patterns: Pick<BundleRules, 'include' | 'exclude'>
  /** Texts of the files that the adapter reads itself. */
  readonly files: Readonly<Record<string, string>>
}

/** Makes it from the commit: the same commit and settings give the same digest. Undefined where the platform fetches the source. */
export async function packContent(agent: Agent, commit: string, io: Io): Promise<Content | undefined> {
  const { platform } = agent
  if (platform.fetchesSource?.(agent.settings)) return undefined
  const make = async () => {
    const checkout = await io.source.checkout(commit, {
      path: agent.path,
      withIgnored: agent.bundle.include.length > 0,
    })
    try {
      const packing: Packing = { agent, checkout, io, name: join(io.scratch, `${agent.name}-${commit.slice(0, 7)}`) }
      return platform.document ? await packConfiguration(packing) : await packArchive(packing)
    } finally {
      checkout.done?.()
    }
  }
  const content = io.inTurn ? await io.inTurn(make) : await make()
  const { size, digest } = content.bundle
  io.log.info(`${agent.name}: bundle of ${formatSize(size)}, ${digest}`, { agent: agent.name })
  return content
}

/** A fingerprint of the settings that a bundle is deployed with: they can matter as much as its bytes. */
export function settingsDigest(agent: Agent): string {
  return digestOf(canonical(agent.settings))
}

interface Packing {
  readonly agent: Agent
  readonly checkout: Checkout
  readonly io: Io
  /** Path of what is written, without its ending. */
  readonly name: string
}

async function packArchive({ agent, checkout, io, name }: Packing): Promise<Content> {
  const { platform } = agent
  const format = platform.bundle.format === 'tar' ? 'tar' : 'zip'
  const wanted = readWanted(agent, checkout)
  const own = rulesOf(agent)
  const rules = { ...own, exclude: [...own.exclude, ...((await platform.bundle.excludes?.(wanted)) ?? [])] }
  const around = { strategy: agent.deploy.strategy, wanted }
  const bundle = await packBundle({
    checkout,
    agentPath: agent.path,
    rules,
    format,
    out: `${name}.${format}`,
    agent: agent.name,
    platform: platform.title,
    inspect: async (files) => (await platform.bundle.inspect?.(files, agent.settings, around)) ?? [],
    signal: io.signal,
  })
  return { bundle, document: undefined, attachments: [], patterns: rules, files: wanted }
}

async function packConfiguration(packing: Packing): Promise<Content> {
  const { agent, checkout, name } = packing
  const rules = agent.platform.document
  if (!rules) throw new TypeError(`${agent.platform.id} takes no documents`)
  const attachments: Attachment[] = []
  for (const folder of rules.attachments?.(agent.settings) ?? [])
    attachments.push(await packAttachment(packing, { folder, number: attachments.length + 1 }))
  const maxBytes = rulesOf(agent).maxBytes
  const packed = await packDocument({ agent, rules, checkout, attachments, maxBytes, out: `${name}.json` })
  return { ...packed, attachments, patterns: rulesOf(agent), files: readWanted(agent, checkout) }
}

async function packAttachment(packing: Packing, at: { folder: string; number: number }): Promise<Attachment> {
  const { agent, checkout, io, name } = packing
  const bundle = await packBundle({
    checkout,
    agentPath: posix.join(agent.path, at.folder),
    // The limits are the document's; an attachment's are the platform's own business.
    rules: { ...rulesOf(agent), maxBytes: undefined, maxEntries: undefined },
    format: 'zip',
    out: `${name}-${at.number}.zip`,
    agent: agent.name,
    platform: agent.platform.title,
    inspect: undefined,
    signal: io.signal,
  })
  return { folder: at.folder, path: bundle.path, digest: bundle.digest, size: bundle.size }
}

function rulesOf({ bundle, platform }: Agent): BundleRules {
  const limits = [bundle.maxBytes, platform.bundle.maxBytes].filter((limit) => limit !== undefined)
  return {
    include: bundle.include,
    exclude: bundle.exclude,
    allowSecrets: bundle.allowSecrets,
    maxBytes: limits.length > 0 ? Math.min(...limits) : undefined,
    maxEntries: platform.bundle.maxEntries,
  }
}

function readWanted(agent: Agent, checkout: Checkout): Record<string, string> {
  const read = readerInside(checkout, agent.path)
  const found = (agent.platform.bundle.wants ?? []).map((path) => [path, read(path)] as const)
  return Object.fromEntries(found.flatMap(([path, file]) => ('text' in file ? [[path, file.text]] : [])))
}
