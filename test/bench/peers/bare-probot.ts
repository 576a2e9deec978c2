import { run } from 'probot'

/** Probot as people start it, with one handler that does nothing; port, key and secret from its own variables. */
await run((app) => {
  app.on('push', () => undefined)
})
