import type { Content } from '../support/repository.ts'

const million = 1024 * 1024

/** Bytes that do not shrink, the same every time. */
export function noise(bytes: number): Buffer {
  const content = Buffer.alloc(bytes)
  let state = bytes >>> 0
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    content[at] = state >>> 24
  }
  return content
}

const text = (bytes: number) => Buffer.alloc(bytes, 'deploy the agent, line after line\n')
const around = (bytes: number, make: (bytes: number) => Buffer = text) =>
  Object.fromEntries([-1, 0, 1].map((more) => [`at${bytes}${more}`, make(bytes + more)]))

/** Where blocks are cut is where mistakes hide. A block is full at 1 MB; files from 4 MB on go in pieces. */
export const oddTrees: Readonly<Record<string, Readonly<Record<string, Content>>>> = {
  'one empty file': { empty: '' },
  'empty files and links among others': {
    a: '',
    b: 'x',
    c: { link: 'b' },
    d: '',
    'e/f': { link: '../b' },
    g: text(600),
  },
  'names that are not ASCII, and long ones': {
    'ünïcode/😀.txt': 'x',
    [`${'ü'.repeat(80)}/x`]: text(100),
    [`${'d/'.repeat(120)}x`]: text(100),
  },
  'sizes around a block': { small: 'x', ...around(million), ...around(million - 512), last: 'x' },
  'sizes around what goes in pieces': { small: 'x', ...around(4 * million), last: 'x' },
  'what does not shrink': { small: noise(5000), ...around(4 * million, noise), last: noise(513) },
  'a file of many pieces between small ones': {
    a: 'x',
    b: text(9 * million + 7),
    c: 'x',
    d: noise(6 * million),
    e: '',
  },
  'whole pieces exactly': { a: text(5 * million), b: noise(8 * million) },
  'many tiny files': Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`t${at % 7}/f${at}`, `${at}\n`])),
}
