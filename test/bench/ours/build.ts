import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleThread, placeThread } from '../../../app/programs.ts'

/** Our side as users run it: one file of JavaScript beside that of the threads which pack, made as `dist/` is, without types to strip at every start. */
export async function buildOurs(name: string, at: { root: string; folder: string }): Promise<string> {
  const outfile = join(at.folder, `ours-${name}.mjs`)
  await mkdir(at.folder, { recursive: true })
  await writeFile(join(at.folder, 'packing-thread.cjs'), await bundleThread(at.root))
  await build({
    absWorkingDir: at.root,
    entryPoints: [join('test/bench/ours', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'error',
    plugins: [placeThread("new URL('./packing-thread.cjs', import.meta.url)")],
    // Bundled CommonJS packages ask for `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  return outfile
}
