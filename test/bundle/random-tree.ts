import type { Content } from '../support/repository.ts'

/** Names that have broken archives before. */
const names = [
  'a',
  'main.py',
  'with space',
  'new\nline',
  'ünïcode-😀',
  'back\\slash',
  '-rf',
  'quote"s\'',
  '100%',
  'tab\there',
  'n'.repeat(99),
  'n'.repeat(101),
  'ü'.repeat(120),
  '.hidden',
]
const sizes = [0, 1, 511, 512, 513, 5000, 70_000, 1024 * 1024 + 3]

/** The same tree for the same seed: files of odd names and sizes, executables, links that stay inside. */
export function randomTree(seed: number): Readonly<Record<string, Content>> {
  const random = generator(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const tree: Record<string, Content> = {}
  for (let count = 3 + Math.floor(random() * 12); count > 0; count--) {
    const folders = Array.from({ length: Math.floor(random() * 4) }, () => `${pick(names)}d`)
    const path = [...folders, `${pick(names)}${count}`].join('/')
    const bytes = Buffer.alloc(pick(sizes), `${seed} ${count} `)
    const kind = random()
    if (kind < 0.15) tree[path] = { executable: bytes.toString() }
    else if (kind < 0.3) tree[path] = { link: `${'../'.repeat(folders.length)}${pick(names)}` }
    else tree[path] = bytes
  }
  return tree
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
