/**
 * Outlives the sandbox by a moment: told the process groups that it has started, it ends them when the sandbox is gone,
 * also when nobody could say goodbye (kill -9). Started by `agent-process.ts`.
 */
const groups = new Set<number>()

process.on('message', (message: { started?: number; ended?: number }) => {
  if (message.started !== undefined) groups.add(message.started)
  if (message.ended !== undefined) groups.delete(message.ended)
})

process.on('disconnect', () => {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  process.exit(0)
})
