/** What the writers of archives (`tar`, `zip`) have in common. */

export type Format = 'zip' | 'tar'
export type Where = 'here' | 'thread'

/** What goes into an archive: a file on disk, or a symlink. */
export interface Source {
  /** Below the root, with forward slashes. */
  readonly path: string
  readonly mode: number
  /** Of a file, in bytes. */
  readonly size: number
  readonly symlinkTarget?: string
}

/** A secret in the content of an entry; entries are counted in the order they were added, from 0. */
export interface Secret {
  readonly entry: number
  readonly line: number
  readonly kind: string
}

export interface Packed {
  /** `sha256:<hex>` of the archive's bytes. */
  readonly digest: string
  readonly size: number
  /** `sha256:<hex>` of an entry's content. */
  digestOf(entry: number): string
  readonly secrets: readonly Secret[]
  /** Entries that are Git LFS pointers. */
  readonly pointers: readonly number[]
}

/** An archive being written to a file, entry by entry, in the order they are added. */
export interface Archive {
  /** Bytes of the archive so far. */
  bytes(): number
  /** Nearly always it is done at once; a promise for each of many thousands of files would be most of the garbage. */
  add(source: Source): Promise<void> | undefined
  /** Writes what is left; what was found out of the contents is known then, and not before. */
  finish(): Promise<Packed>
  /** Ends its threads and gives up whatever is not finished. */
  close(): Promise<void>
}

export interface Making {
  /** The archive. */
  readonly file: string
  /** Folder of what goes into it. */
  readonly root: string
  /** Where contents are digested, scanned and squeezed: by whoever calls, or in a thread. The bytes are the same. */
  readonly where: Where
  readonly signal: AbortSignal
}
