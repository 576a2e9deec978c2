import ignore from 'ignore'

/** The part of the repository that an agent is made of. */
export interface AgentScope {
  /** The agent's folder (or file) relative to the repository's root; '' or '.' for the whole repository. */
  readonly path: string
  /** Patterns in gitignore syntax, relative to the repository's root, of files that concern the agent too. */
  readonly watchPaths: readonly string[]
}

export interface Scope {
  readonly whole: boolean
  touches(file: string): boolean
}

export function scopeOf({ path, watchPaths }: AgentScope): Scope {
  const root = normalize(path)
  if (root === '') return { whole: true, touches: () => true }
  const folder = `${root}/`
  const watched = watcher(watchPaths)
  return { whole: false, touches: (file) => file.startsWith(folder) || file === root || watched(file) }
}

function normalize(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.join('/')
}

/** git's case-sensitive matching on every system. Files repeat across commits, so answers are kept. */
function watcher(patterns: readonly string[]): (file: string) => boolean {
  if (patterns.length === 0) return () => false
  const rules = ignore({ ignorecase: false, allowRelativePaths: true })
  rules.add(patterns.map((pattern) => pattern.replace(/^(!?)\.\//, '$1/')))
  const answers = new Map<string, boolean>()
  return (file) => {
    const known = answers.get(file)
    if (known !== undefined) return known
    const answer = rules.ignores(file)
    answers.set(file, answer)
    return answer
  }
}
