import { readGitHistory } from '../../../src/version/history-git.ts'
import { weigh } from '../../../src/version/bump.ts'
import { nextVersion } from '../../../src/version/next.ts'

/** `node version.ts <repository> <path of the agent>`: the next version after v1.0.0. */
const [directory = '.', path = ''] = process.argv.slice(2)
const history = await readGitHistory(
  { from: 'v1.0.0', to: 'HEAD', withFiles: path !== '', below: path || undefined },
  { directory },
)
const weighed = weigh(history, { path, watchPaths: [] })
const next = nextVersion({ requested: 'auto', live: '1.0.0', initialVersion: undefined, weighed, contentChanged: true })
if (weighed.counted === 0) throw new Error('no commit touches the agent')
process.stdout.write(`${next.version}\n`)
