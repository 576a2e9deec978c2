import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// `--import` of this: at the end of the process, the addresses of all modules that its threads have loaded are in the file
// LOADED.
const loaded = new Set()
registerHooks({
  load(url, context, next) {
    loaded.add(url)
    return next(url, context)
  },
})
process.on('exit', () => appendFileSync(process.env.LOADED, `${[...loaded].join('\n')}\n`))
