/** What a Dockerfile says about running, of its last stage. Nothing is built: the files run where they lie. */
export interface RunSpec {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly port: number | undefined
}

/** Throws an Error that says what a process can't be started from. */
export function readDockerfile(text: string): RunSpec {
  const lines = text.replace(/\\[ \t]*\r?\n/g, ' ').split(/\r?\n/)
  let entrypoint: readonly string[] = []
  let command: readonly string[] = []
  let env: Record<string, string> = {}
  let port: number | undefined
  let stages = 0
  for (const line of lines) {
    const [, name = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*?)\s*$/.exec(line) ?? []
    switch (name.toUpperCase()) {
      case 'FROM':
        stages++
        entrypoint = command = []
        env = {}
        port = undefined
        break
      case 'ENV':
        Object.assign(env, readEnv(rest))
        break
      case 'EXPOSE':
        port ??= Number.parseInt(rest, 10) || undefined
        break
      case 'ENTRYPOINT':
        entrypoint = execForm(name, rest)
        break
      case 'CMD':
        command = execForm(name, rest)
        break
    }
  }
  if (stages === 0) throw new Error('the Dockerfile has no FROM')
  if (entrypoint.length + command.length === 0) throw new Error('the Dockerfile has neither CMD nor ENTRYPOINT')
  return { command: [...entrypoint, ...command], env, port }
}

function execForm(name: string, rest: string): readonly string[] {
  let words: unknown
  try {
    words = JSON.parse(rest)
  } catch {
    words = undefined
  }
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  throw new Error(`${name} is not in the exec form, e.g. ${name} ["python", "main.py"]`)
}

/** `ENV KEY=value KEY2="two words"`, and the old `ENV KEY the rest`. */
function readEnv(rest: string): Record<string, string> {
  const old = /^([A-Za-z_]\w*)\s+([^=].*)$/.exec(rest)
  if (old) return { [old[1] ?? '']: old[2] ?? '' }
  const env: Record<string, string> = {}
  for (const [, key = '', double, single, bare] of rest.matchAll(
    /([A-Za-z_]\w*)=(?:"((?:\\.|[^"])*)"|'([^']*)'|(\S*))/g,
  )) {
    env[key] = double?.replace(/\\(.)/g, '$1') ?? single ?? bare ?? ''
  }
  return env
}
