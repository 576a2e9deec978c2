import type { GitHub, Io } from '../../src/io.ts'
import { memoryJournal } from './io.ts'

/** What a process can reach that dies before it can note this step: nothing, from then on. */
export function dyingAt(
  step: string,
  world: { steps: Map<string, unknown>; github: GitHub },
): Pick<Io, 'journal' | 'github'> {
  let dead = false
  const orDie = () => (dead ? Promise.reject(new Error('the process died')) : Promise.resolve())
  return {
    journal: {
      ...memoryJournal(world.steps),
      async put(name, value) {
        dead ||= name === step
        await orDie()
        world.steps.set(name, value)
      },
    },
    github: {
      ...world.github,
      async request(route, parameters) {
        await orDie()
        return await world.github.request(route, parameters)
      },
    },
  }
}
