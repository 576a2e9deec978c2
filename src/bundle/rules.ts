/** Folders and files that never ship by themselves, wherever they are, with the pattern that says so. */

/** Names of folders or files, matched against every part of a path. */
const deniedNames: readonly string[] = [
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  'venv',
  '.venv',
  'virtualenv',
  '__pycache__',
  '.pytest_cache',
  '.mypy_cache',
  '.ruff_cache',
  '.tox',
  '.nox',
  '.ipynb_checkpoints',
  '.cache',
  '.DS_Store',
  'Thumbs.db',
  '.env',
  '.envrc',
  '.netrc',
  '.pypirc',
  '.git-credentials',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ed25519',
]

/** Endings of private keys, key stores and compiled files. */
const deniedEndings: readonly string[] = ['.pem', '.key', '.p12', '.pfx', '.jks', '.keystore', '.ppk', '.pyc', '.pyo']

/** `.env.production` is denied; these hold no values. */
const harmlessEnv: readonly string[] = ['.env.example', '.env.sample', '.env.template', '.env.dist']

/** The deny list in gitignore syntax, as it is reported. */
export const defaultExcludes: readonly string[] = [
  ...deniedNames,
  '.env.*',
  ...harmlessEnv.map((name) => `!${name}`),
  ...deniedEndings.map((ending) => `*${ending}`),
]

const anyOf = (texts: readonly string[]) => texts.map((text) => text.replaceAll('.', '\\.')).join('|')

/** The whole list in one expression: it is asked of every file, and taking paths apart costs several times as much. */
const denied = new RegExp(
  [
    `(?:^|/)(?<name>${anyOf(deniedNames)})(?:/|$)`,
    `(?:^|/)(?!(?:${anyOf(harmlessEnv)})(?:/|$))(?<env>\\.env\\.)`,
    `(?<ending>${anyOf(deniedEndings)})$`,
  ].join('|'),
)

/** The pattern that denies a path; undefined when none does. */
export function deniedBy(path: string): string | undefined {
  const found = denied.exec(path)?.groups
  if (found === undefined) return undefined
  const { name, env, ending } = found
  return name ?? (env === undefined ? `*${ending}` : '.env.*')
}

/** Halves of characters beyond the first 65,536, and what UTF-8 puts before those and UTF-16 after them. */
const high = /[\ud800-\uffff]/

/** The order of an archive: that of the bytes of UTF-8, which for nearly all names is that of JavaScript's own strings. */
export function bytewise(a: string, b: string): number {
  if (a === b) return 0
  if (high.test(a) && high.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}
