import { selectFiles } from '../../../src/bundle/select.ts'
import { gitSource } from '../../../src/source-git.ts'

/** `node select.ts <work tree> <its commit>`: what the Action does to find the files of an agent. */
const [directory = '.', commit = ''] = process.argv.slice(2)
const source = gitSource({
  directory,
  scratch: directory,
  signal: new AbortController().signal,
  history: () => Promise.reject(new Error('no history is read here')),
})
const checkout = await source.checkout(commit, { path: '', withIgnored: false })
const rules = { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined }
const selected = selectFiles(checkout.files, { ...rules, agentPath: '', agentignore: new Map() })
if (!selected.some(({ included }) => included)) throw new Error('nothing was selected')
