import { weigh } from '../../../src/version/bump.ts'
import { readGitHistory } from '../../../src/version/history-git.ts'
import { sharedHistory } from '../../../src/version/history-shared.ts'
import { nextVersion } from '../../../src/version/next.ts'

/** `node agents.ts <repository> <count>`: the next versions of so many agents, each live at another commit. */
const [directory = '.', count = '1'] = process.argv.slice(2)
const history = sharedHistory((range) => readGitHistory(range, { directory }))
const all = await history({ from: 'v1.0.0', to: 'HEAD', withFiles: true })
for (let at = 0; at < Number(count); at++) {
  const from = all.commits[Math.floor(((at + 1) / (Number(count) + 1)) * (all.commits.length - 1))]?.sha
  const range = await history({ from, to: 'HEAD', withFiles: true })
  const weighed = weigh(range, { path: `agents/a${at}`, watchPaths: [] })
  nextVersion({ requested: 'auto', live: '1.0.0', initialVersion: undefined, weighed, contentChanged: true })
}
