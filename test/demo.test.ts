import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createNarrator } from '../app/demo/narrator.ts'
import { setStage } from '../app/demo/stage.ts'
import { tell } from '../app/demo/story.ts'

const demo = fileURLToPath(new URL('../app/demo.ts', import.meta.url))

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [demo, ...args], { env: { PATH: process.env['PATH'], NO_COLOR: '1' } })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out }
}

it(
  'tells the whole story and ends with 0, in an environment with nothing but a PATH',
  { timeout: 120_000 },
  async () => {
    const { code, out } = await run('--exit')

    expect(out).toContain('every step really happened')
    expect(code).toBe(0)
  },
)

it('stops where a step does not happen', { timeout: 60_000 }, async () => {
  const stage = await setStage()
  try {
    stage.github.pauseWebhooks()
    const told: string[] = []
    const narrator = createNarrator((line) => void told.push(line), { colour: false, patienceMs: 300 })

    await expect(tell(stage, narrator)).rejects.toThrow('did not happen')
    expect(told.join('\n')).not.toContain('2  Somebody adds a feature')
  } finally {
    await stage.close()
  }
})

it('explains itself', async () => {
  const { code, out } = await run('--help')

  expect(out).toContain('npm run demo')
  expect(code).toBe(0)
})
