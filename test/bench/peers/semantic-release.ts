import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `node semantic-release.ts <repository> <folder of the peers>`: its own analysis of the commits since v1.0.0, read by git in one go. */
const [directory = '.', peers = '.'] = process.argv.slice(2)
const log = execFileSync('git', ['-C', directory, 'log', '--format=%H%x00%B%x00%x01', 'v1.0.0..HEAD'], {
  maxBuffer: 2 ** 30,
})
const commits = log
  .toString('utf8')
  .split('\x01')
  .map((record) => record.trim().split('\0'))
  .filter(([hash]) => hash)
  .map(([hash = '', message = '']) => ({ hash, message }))
const logger = { log: () => undefined }
const entry = createRequire(join(peers, 'package.json')).resolve('@semantic-release/commit-analyzer')
// The package has no types; this is its documented function.
const { analyzeCommits } = (await import(pathToFileURL(entry).href)) as {
  analyzeCommits(config: object, context: object): Promise<unknown>
}
const bump = await analyzeCommits({}, { cwd: directory, commits, logger })
if (bump === null) throw new Error('it found nothing to release')
