import { selectFiles } from '../../../src/bundle/select.ts'
import { gitSource } from '../../../src/source-git.ts'
import { git } from '../material.ts'

/** `node select.ts <work tree>`: what the Action does to find the files of an agent. */
const [directory = '.'] = process.argv.slice(2)
const source = gitSource({
  directory,
  scratch: directory,
  signal: new AbortController().signal,
  history: () => Promise.reject(new Error('no history is read here')),
})
const checkout = await source.checkout(git(directory, ['rev-parse', 'HEAD']), { path: '', withIgnored: false })
const rules = { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined }
const selected = selectFiles(checkout.files, { ...rules, agentPath: '', agentignore: new Map() })
if (!selected.some(({ included }) => included)) throw new Error('nothing was selected')
