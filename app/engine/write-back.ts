import type { DatabaseSync } from 'node:sqlite'

/**
 * Pages (of 4 kB) of the log that are written back into the file at once; whoever comes meanwhile waits. By default that is inside
 * of a commit, after 1000 pages. So many are some 75 webhooks and take 2 ms; 8000 took 40.
 */
const pagesAtOnce = 250

/** Writes the log back between commits, when those that waited for one have been told. */
export function createWriteBack(connection: DatabaseSync) {
  connection.exec('PRAGMA wal_autocheckpoint = 0')
  const [look, write] = [
    connection.prepare('PRAGMA wal_checkpoint(NOOP)'),
    connection.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
  ]
  let before = 0
  let next = pagesAtOnce

  return {
    isDue(): boolean {
      const pages = Number(look.get()?.['log'])
      // Once all is written back the log begins anew.
      if (pages < before) next = pagesAtOnce
      before = pages
      return pages >= next
    },
    run(): void {
      if (!connection.isOpen) return
      // What a reader still needs, or a full disk has no room for, stays in the log.
      next = before + pagesAtOnce
      try {
        write.get()
      } catch {
        // Nothing is lost by it, and whoever writes is told of a disk in trouble.
      }
    },
  }
}
