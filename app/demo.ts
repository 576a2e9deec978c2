import { parseArgs } from 'node:util'
import { createNarrator } from './demo/narrator.ts'
import { setStage } from './demo/stage.ts'
import { tell } from './demo/story.ts'

/** `npm run demo`: the main job on this machine, with real parts and no account. */
const help = `npm run demo [-- --exit]

Starts an emulated GitHub (real git) and an emulated Nasiko (real processes) on this machine, and the app beside them;
pushes, deploys, merges something bad and takes it back. Needs git and no network.

  --exit   end by itself afterwards; the exit code is 0 only if every step really happened
  --help   this text
`

const { values } = parseArgs({ options: { exit: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (values.help) console.log(help)
else process.exitCode = await demo()

async function demo(): Promise<number> {
  const narrator = createNarrator(console.log, { colour: process.stdout.isTTY && !process.env['NO_COLOR'] })
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  narrator.chapter('Agent Deploy, on this machine: push → plan → deploy → check → live → bad merge → /rollback → back')
  const stage = await setStage()
  narrator.say(`GitHub ${stage.github.url}   Nasiko ${stage.nasiko.url}   the app ${stage.appUrl}`)
  try {
    const ended = await Promise.race([tell(stage, narrator), stopped.then(() => 'stopped' as const)])
    if (ended === 'stopped') return 130
    narrator.say('every step really happened')
    if (values.exit) return 0
    narrator.chapter('It stays up until Ctrl-C. Try:')
    narrator.say(`curl ${stage.nasiko.agentUrl(stage.agentId)}`)
    narrator.say(`the dashboard: ${stage.appUrl}/`)
    await stopped
    return 0
  } catch (error) {
    narrator.say(`✗ ${error instanceof Error ? error.message : String(error)}`)
    narrator.show(`The app's last words:\n${stage.appLog.slice(-20).join('\n')}`)
    return 1
  } finally {
    await stage.close()
  }
}
