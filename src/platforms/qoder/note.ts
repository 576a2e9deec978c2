/**
 * What Agent Deploy keeps with the agent itself: one reserved metadata key (with `-2`, `-3` … when its 512 characters do not
 * hold it), restored with the rest by a rollback. It is no part of what users see as content.
 */
export interface Note {
  readonly release: string | undefined
  readonly commit: string | undefined
  /** Which request made this version, so that one whose reply was lost is known again. */
  readonly mark: string
  readonly skills: readonly ShippedSkill[]
}

/** A skill that came from a folder of the repository, at the version it is bound at. */
export interface ShippedSkill {
  readonly folder: string
  readonly skillId: string
  readonly version: string
  /** First digits of the zip's digest: enough to see that nothing changed. */
  readonly digest: string
}

/** Qoder's limit of a metadata value. */
const longestValue = 512
const reservedKey = /^agent-deploy(?:-\d+)?$/
const digestLength = 12
/** Of a hash that only has to differ from an agent's other marks. */
export const markLength = 16

export function isReserved(key: string): boolean {
  return reservedKey.test(key)
}

export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, digestLength)
}

/** As metadata entries. */
export function writeNote(note: Note): Readonly<Record<string, string>> {
  const words = [`mark=${note.mark}`]
  if (note.release) words.push(`release=${note.release}`)
  if (note.commit) words.push(`commit=${note.commit}`)
  for (const { folder, skillId, version, digest } of note.skills) {
    words.push(`skill=${skillId}@${version}:${digest}:${encodeURI(folder)}`)
  }
  const values: string[] = []
  for (const word of words) {
    const longer = [values.at(-1), word].filter((part) => part !== undefined).join(' ')
    if (values.length > 0 && longer.length <= longestValue) values[values.length - 1] = longer
    else values.push(word)
  }
  return Object.fromEntries(values.map((value, at) => [at === 0 ? 'agent-deploy' : `agent-deploy-${at + 1}`, value]))
}

/** Lenient: somebody may have edited it; what can't be read is not there. */
export function readNote(metadata: Readonly<Record<string, unknown>>): Note {
  const values = Object.entries(metadata).filter(([key]) => isReserved(key))
  const words = values.flatMap(([, value]) => (typeof value === 'string' ? value.split(' ') : []))
  const valueOf = (name: string) => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
  return {
    release: valueOf('release'),
    commit: valueOf('commit'),
    mark: valueOf('mark') ?? '',
    skills: words.flatMap((word) => skillOf(word)),
  }
}

function skillOf(word: string): ShippedSkill[] {
  const found = /^skill=([^@]+)@([^:]+):([0-9a-f]+):(.+)$/.exec(word)
  if (!found) return []
  const [, skillId = '', version = '', digest = '', folder = ''] = found
  return [{ skillId, version, digest, folder: decode(folder) }]
}

function decode(folder: string): string {
  try {
    return decodeURI(folder)
  } catch {
    return folder
  }
}
