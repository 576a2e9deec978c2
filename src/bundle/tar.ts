import type { Archive, Making } from './archive.ts'
import { createAssembly } from './assembly.ts'
import { tarFrame } from './frame.ts'
import { createOutFile } from './out-file.ts'
import { endOfTar } from './tar-format.ts'

/** A tar being written to a file. Every file is read once, into the block that is written; nothing is copied. */
export function createTar(making: Making): Archive {
  const out = createOutFile(making.file)
  const assembly = createAssembly(making, {
    format: 'tar',
    frame: tarFrame,
    settle: async ({ bytes }) => await out.append(bytes),
  })

  async function close(): Promise<void> {
    await assembly.close()
    out.close()
  }

  return {
    bytes: out.bytes,
    add: assembly.add,

    async finish() {
      await assembly.put(endOfTar)
      const { digest, ...packed } = await assembly.finish()
      await close()
      if (digest === undefined) throw new Error('the last block has the digest of all')
      return { ...packed, digest, size: out.bytes() }
    },

    close,
  }
}
