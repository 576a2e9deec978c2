/** Descriptions of a record's statuses: read by people, and by us. */

/** GitHub's limit of a status description. */
const descriptionLength = 140

export function liveNote(
  version: { release: string | undefined; platform: string | undefined; kept?: string | undefined },
  rolledBack: 'rolled back' | 'live',
): string {
  const name = version.release ?? version.platform ?? 'the new version'
  const sentence = rolledBack === 'live' ? `${name} is live` : `Rolled back to ${name}; on hold`
  if (!version.platform) return shorten(sentence)
  const short = `${sentence} (platform version ${version.platform})`
  const whole = `${short.slice(0, -1)}; content ${version.kept})`
  // Rather without it than cut off.
  return shorten(version.kept !== undefined && whole.length <= descriptionLength ? whole : short)
}

/** What a note says that `liveNote` has written. */
export function readLiveNote(description: string): { readonly platform?: string; readonly kept?: string } {
  const [, platform, kept] = liveNotePattern.exec(description) ?? []
  return { ...(platform ? { platform } : {}), ...(kept ? { kept } : {}) }
}

const liveNotePattern =
  /^(?:\S+ is live|Rolled back to \S+; on hold) \(platform version ([^()\s;]+)(?:; content ([0-9a-f]{16}))?\)$/

/** What a run noted that did not wait until its version was live; later runs look what became of it. */
export function submittedNote({ platformVersion, buildId }: { platformVersion: string; buildId?: string }): string {
  return shorten(`Submitted as ${platformVersion}${buildId ? ` (build ${buildId})` : ''}; not waited for`)
}

/** What a note says that `submittedNote` has written. */
export function readSubmittedNote(
  description: string,
): { readonly platformVersion: string; readonly buildId: string | undefined } | undefined {
  const match = /^Submitted as (\S+)(?: \(build (\S+)\))?; not waited for$/.exec(description)
  return match ? { platformVersion: match[1] ?? '', buildId: match[2] } : undefined
}

export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= descriptionLength ? line : `${line.slice(0, descriptionLength - 1)}…`
}
