/** What the writers of archives (`tar`, `zip`) have in common. */

/** What goes into an archive: a file on disk, or the target of a symlink. */
export interface Source {
  readonly path: string
  readonly mode: number
  readonly content: { readonly file: string; readonly size: number } | { readonly symlink: string }
}

export interface Packed {
  /** `sha256:<hex>` of the content. */
  readonly digest: string
  readonly size: number
}

/** Called with every piece of content as it is read, in order. A piece keeps its bytes until the one after the next. */
export type Look = (path: string, piece: Buffer) => void

/** An archive being written to a file, entry by entry, in the order they are added. */
export interface Archive {
  /** Bytes of the archive so far. */
  bytes(): number
  add(source: Source, look: Look): Promise<Packed>
  /** Writes what is left; the digest is `sha256:<hex>` of the archive's bytes. */
  finish(): Promise<Packed>
  /** Gives up whatever has been written. */
  close(): Promise<void>
}
