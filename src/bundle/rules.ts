/** Folders and files that never ship by themselves, wherever they are, with the pattern that says so. */

/** Names of folders or files, matched against every part of a path. */
const deniedNames: ReadonlySet<string> = new Set([
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
])

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

/** The pattern that denies a path; undefined when none does. */
export function deniedBy(path: string): string | undefined {
  let start = 0
  while (start <= path.length) {
    const slash = path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    const pattern = nameDeniedBy(path.slice(start, end), slash < 0)
    if (pattern !== undefined) return pattern
    start = end + 1
  }
  return undefined
}

function nameDeniedBy(name: string, isFile: boolean): string | undefined {
  if (deniedNames.has(name)) return name
  if (name.startsWith('.env.') && !harmlessEnv.includes(name)) return '.env.*'
  if (!isFile) return undefined
  const ending = deniedEndings.find((candidate) => name.endsWith(candidate))
  return ending && `*${ending}`
}
