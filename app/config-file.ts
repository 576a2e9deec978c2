import type { Config } from '../src/config/config.ts'
import { checkConfig, configInvalid, type Problem } from '../src/config/parse.ts'
import { fail } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import type { Platform } from '../src/platforms/platform.ts'
import { readGitHubFile } from '../src/source-github.ts'

export type ConfigAt =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  | { readonly kind: 'valid'; readonly config: Config }

export interface ConfigReader {
  readonly path: string
  /** The config file at a commit; a full commit is read once and remembered. A branch is always read. */
  read(github: GitHub, ref: string): Promise<ConfigAt>
  /** Throws `config-missing` or `config-invalid`. */
  demand(github: GitHub, ref: string): Promise<Config>
}

/** One push to many agents reads the same file; a few hundred small documents are nothing. */
const mostRemembered = 300

export function createConfigReader(options: { path: string; platforms: readonly Platform[] }): ConfigReader {
  const { path, platforms } = options
  const remembered = new Map<string, ConfigAt>()

  async function read(github: GitHub, ref: string): Promise<ConfigAt> {
    const name = `${github.owner}/${github.repo}@${ref}`
    const known = remembered.get(name)
    if (known) return known
    const text = await readGitHubFile(github, { path, commit: ref })
    const found = text === undefined ? ({ kind: 'missing' } as const) : parse(text)
    if (/^[0-9a-f]{40}$/.test(ref)) remember(name, found)
    return found
  }

  function parse(text: string): ConfigAt {
    const checked = checkConfig(text, { path, platforms })
    if ('config' in checked) return { kind: 'valid', config: checked.config }
    return { kind: 'invalid', problems: checked.problems }
  }

  function remember(name: string, found: ConfigAt): void {
    const [oldest] = remembered.keys()
    if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest)
    remembered.set(name, found)
  }

  return {
    path,
    read,
    async demand(github, ref) {
      const found = await read(github, ref)
      if (found.kind === 'valid') return found.config
      if (found.kind === 'invalid') throw configInvalid(path, found.problems)
      throw fail('config-missing', { path, at: `at ${ref.slice(0, 40)}` })
    },
  }
}
