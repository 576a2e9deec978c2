import { packBundle } from '../../../src/bundle/pack.ts'
import { gitSource } from '../../../src/source-git.ts'
import { git } from '../material.ts'

/** `node pack.ts <work tree> <out> tar|zip`: the bundle with everything that a deploy does to it. */
const [directory = '.', out = '', format] = process.argv.slice(2)
if (format !== 'tar' && format !== 'zip') throw new Error('name a format: tar or zip')
const signal = new AbortController().signal
const history = () => Promise.reject(new Error('no history is read here'))
const source = gitSource({ directory, scratch: directory, signal, history })
const checkout = await source.checkout(git(directory, ['rev-parse', 'HEAD']), { path: '', withIgnored: false })
const rules = { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined }
const about = { agent: 'bench', platform: 'none', inspect: undefined }
const bundle = await packBundle({ checkout, agentPath: '', rules, format, out, signal, ...about })
if (bundle.entries.some(({ included, digest }) => included && !digest)) throw new Error('a file has no digest')
