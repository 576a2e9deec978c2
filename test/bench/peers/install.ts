import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Peers that only the bench needs: kept out of everybody's install, fetched once by its own set-up. */
const packages = { 'git-cliff': '2.14.2', '@semantic-release/commit-analyzer': '13.0.1' } as const

/** The folder that holds them as `node_modules`; undefined, with the reason said, when they can't be had. */
export function installPeers(root: string, say: (text: string) => void): string | undefined {
  const folder = join(root, 'node_modules/.cache/bench-peers')
  if (Object.keys(packages).every((name) => existsSync(join(folder, 'node_modules', name)))) return folder
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ private: true, type: 'module', dependencies: packages }),
    )
    // Without peer dependencies: the analysis needs none of the release pipeline around it.
    const options = ['--no-audit', '--no-fund', '--legacy-peer-deps', '--loglevel=error']
    execFileSync('npm', ['install', ...options], { cwd: folder, stdio: 'ignore' })
    return folder
  } catch {
    say(`peers could not be installed (${Object.keys(packages).join(', ')}): is the npm registry reachable?`)
    return undefined
  }
}
