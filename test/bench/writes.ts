import { createPlace, settled, startTestApp } from '../support/app.ts'
import { gitRemote } from '../support/repository.ts'
import type { Bench } from './bench.ts'
import { limit, type Row } from './row.ts'

const names = ['one', 'two', 'three']
const config = `version: 1
defaults: { platform: memory, connection: main }
agents:
${names.map((name) => `  ${name}: { id: agent-${name}, path: agents/${name} }\n`).join('')}`

const files = (of: readonly string[], text: string) =>
  Object.fromEntries(of.map((name) => [`agents/${name}/main.py`, `${text}\n`]))

/** Writes to GitHub, which it takes 80 of a minute: counted, not timed, so one run says all. */
export async function writes(_bench: Bench): Promise<Row[]> {
  const place = await createPlace({ '.github/agents.yml': config, ...files(names, 'begin') })
  const app = await startTestApp(place)
  try {
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await settled(app, place.github)
    const pushed = async (agents: readonly string[]) => {
      const before = place.github.requests.length
      const checks = place.github.repository('acme/agents').checkRuns.length
      await place.push({ tree: files(agents, `more ${agents.length}`), message: 'fix: more' })
      await settled(app, place.github)
      const asked = place.github.requests.slice(before)
      return {
        calls: asked.length,
        writes: asked.filter(({ method, path }) => method !== 'GET' && !path.includes('/access_tokens')).length,
        checks: place.github.repository('acme/agents').checkRuns.length - checks,
      }
    }
    const alone = await pushed(['one'])
    const all = await pushed(names)
    const row = (what: string, count: number, most: number, unit: string) =>
      limit({ group: 'writes', what, most, unit }, count)
    return [
      row('push to one agent: writes', alone.writes, 4, 'writes'),
      row('push to one agent: calls', alone.calls, 12, 'calls'),
      row('push to three agents: writes per deployment', all.writes / names.length, 4, 'writes'),
      row('push to three agents: check runs', all.checks, 1, 'checks'),
    ]
  } finally {
    await app.stop()
    await place.close()
  }
}
