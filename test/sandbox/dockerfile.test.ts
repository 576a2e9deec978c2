import { describe, expect, it } from 'vitest'
import { readDockerfile, type RunSpec } from '../../app/sandbox/dockerfile.ts'

describe('readDockerfile', () => {
  // Columns: what the file shows, its lines, what is run.
  it.each<[string, string, RunSpec]>([
    ['CMD alone', 'FROM a\nCMD ["node", "x.js"]', { command: ['node', 'x.js'], env: {}, port: undefined }],
    ['both', 'FROM a\nENTRYPOINT ["node"]\nCMD ["x.js"]', { command: ['node', 'x.js'], env: {}, port: undefined }],
    ['the last CMD', 'FROM a\nCMD ["b"]\ncmd ["c"]\n', { command: ['c'], env: {}, port: undefined }],
    [
      'the last stage',
      'FROM a\nENV X=1\nEXPOSE 1\nCMD ["b"]\nFROM c\nCMD ["d"]',
      { command: ['d'], env: {}, port: undefined },
    ],
    ['a port', 'FROM a\nEXPOSE 5000/tcp\nCMD ["b"]', { command: ['b'], env: {}, port: 5000 }],
    [
      'settings',
      `FROM a\nENV A=1 B="two words" C='x y'\nCMD ["b"]`,
      { command: ['b'], env: { A: '1', B: 'two words', C: 'x y' }, port: undefined },
    ],
    [
      'the old form of a setting',
      'FROM a\nENV A one two\nCMD ["b"]',
      { command: ['b'], env: { A: 'one two' }, port: undefined },
    ],
    [
      'lines that go on',
      'FROM a\nENV A=1 \\\n  B=2\nCMD ["b", \\\n "c"]',
      { command: ['b', 'c'], env: { A: '1', B: '2' }, port: undefined },
    ],
    ['comments', '# FROM x\nFROM a\n# CMD ["z"]\nCMD ["b"]', { command: ['b'], env: {}, port: undefined }],
  ])('reads %s', (_, text, wanted) => {
    expect(readDockerfile(text)).toEqual(wanted)
  })

  // Columns: the file, a word of the problem.
  it.each([
    ['CMD ["a"]', 'no FROM'],
    ['FROM a', 'neither CMD nor ENTRYPOINT'],
    ['FROM a\nCMD node x.js', 'exec form'],
    ['FROM a\nCMD ["a", 1]', 'exec form'],
  ])('refuses %j', (text, word) => {
    expect(() => readDockerfile(text)).toThrow(word)
  })
})
