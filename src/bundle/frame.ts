import type { Source } from './archive.ts'
import { paddingOf, tarHeaderBytes, writeTarHeader } from './tar-format.ts'
import { localHeaderBytes, needsZip64, writeLocalHeader } from './zip-format.ts'

/** What stands around a content in an archive. */
export interface Frame {
  /** The most that the header takes. */
  headerBytes(source: Source): number
  /** Tells where it ends. */
  writeHeader(block: Buffer, at: number, source: Source): number
  /** Zeros behind a content. */
  padding(size: number): number
  /** Where the target of a link is: in its header, or as its content. */
  readonly linkIn: 'header' | 'content'
}

export const tarFrame: Frame = {
  headerBytes: (source) => tarHeaderBytes(sized(source)),
  writeHeader: (block, at, source) => writeTarHeader(block, at, sized(source)),
  padding: paddingOf,
  linkIn: 'header',
}

export const zipFrame: Frame = {
  headerBytes: ({ path }) => localHeaderBytes(path),
  writeHeader: (block, at, { path, size }) => writeLocalHeader(block, at, { name: path, long: needsZip64(size) }),
  padding: () => 0,
  linkIn: 'content',
}

/** In a tar a link has no content. */
function sized(source: Source): Source {
  return source.symlinkTarget === undefined ? source : { ...source, size: 0 }
}
