import { type LedgerRecord, shorten } from './ledger.ts'

/** What a record's statuses say about versions, in sentences that people and later runs read. */

export function liveNote(
  version: { release: string | undefined; platform: string | undefined },
  rolledBack: 'rolled back' | 'live',
): string {
  const name = version.release ?? version.platform ?? 'the new version'
  const sentence = rolledBack === 'live' ? `${name} is live` : `Rolled back to ${name}; on hold`
  return shorten(version.platform ? `${sentence} (platform version ${version.platform})` : sentence)
}

/** The platform's name of what the record made live: from its final status, else as expected when it was opened. */
export function platformVersionOf(record: LedgerRecord): string | undefined {
  for (const status of record.statuses) {
    const named = /^(?:\S+ is live|Rolled back to \S+; on hold) \(platform version ([^()\s]+)\)$/.exec(
      status.description,
    )?.[1]
    if (named) return named
  }
  return record.payload.platform_version ?? undefined
}

/** What a run noted that did not wait until its version was live; later runs look what became of it. */
export function submittedNote({ platformVersion, buildId }: { platformVersion: string; buildId?: string }): string {
  return shorten(`Submitted as ${platformVersion}${buildId ? ` (build ${buildId})` : ''}; not waited for`)
}

export function submittedOf(
  record: LedgerRecord,
): { platformVersion: string; buildId: string | undefined } | undefined {
  for (const { description } of record.statuses) {
    const match = /^Submitted as (\S+)(?: \(build (\S+)\))?; not waited for$/.exec(description)
    if (match) return { platformVersion: match[1] ?? '', buildId: match[2] }
  }
  return undefined
}
