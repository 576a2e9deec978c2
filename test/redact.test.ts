import { describe, expect, it } from 'vitest'
import { createRedactor } from '../src/redact.ts'

describe('createRedactor', () => {
  const redact = createRedactor(['s3cr3t/value=+', 'abc', 'line-one-of-a-key-0123\nline-two-of-a-key-0123'])

  it.each([
    ['the value itself', 'x s3cr3t/value=+ y', 'x *** y'],
    ['the value in a URL', 'https://h/?q=s3cr3t%2Fvalue%3D%2B', 'https://h/?q=***'],
    ['the value in base64', Buffer.from('s3cr3t/value=+').toString('base64'), '***'],
    ['one line of a value of several', 'got line-two-of-a-key-0123.', 'got ***.'],
    ['any bearer token', 'authorization: Bearer abcdefghijklmnop', 'authorization: ***'],
    ['a GitHub token', 'ghs_0123456789abcdefghijABCDEFGHIJ', '***'],
    ['a JWT', 'eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', '***'],
    ['a token in a query', 'https://h/x?token=abcdef123456&a=1', 'https://h/x?token=***&a=1'],
    ['a value that was cut off', 'no room for s3cr3t/val…', 'no room for ***…'],
    ['a JWT that was cut off', 'no room for eyJhbGciOiJI.eyJzd…', 'no room for ***…'],
    ['no beginning of a value that is not at a cut', 's3cr3t/val is a path', 's3cr3t/val is a path'],
    ['the beginning of a value, where it was cut without a mark', 'got line-one-of-a-ke', 'got ***'],
    ['the end of a value', 'f-a-key-0123 was the end', '*** was the end'],
    ['a piece of a value, twice', '-one-of-a-key-0/ine-two-of-a-k', '***/***'],
    ['a value inside of base64', `got ${btoa('me:line-one-of-a-key-0123!').slice(0, -4)}`, 'got bWU6***'],
    ['a piece of a value in a URL', '/x?a=%2Fvalue%3D%2B', '/x?a=***'],
    ['a GitHub token that was cut off', 'got ghs_01234567 and', 'got *** and'],
    ['a JWT that was cut off, without a mark', 'got eyJhbGciOiJIU', 'got ***'],
    ['no word of three letters, though it is a "secret"', 'abc', 'abc'],
    ['nothing else', 'agents/support is 1.2.3', 'agents/support is 1.2.3'],
  ])('hides %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it('hides the whole of a token that begins like one that is known', () => {
    const [head, claims] = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiJhZGEiLCJpYXQiOjE3']
    const hide = createRedactor([`${head}.${claims}AAAA.c2lnbmF0dXJl`])

    expect(hide(`bad ${head}.${claims}BBBB.b3RoZXItc2lnbmF0dXJl here`)).toBe('bad *** here')
  })

  it('hides every piece of twelve characters, wherever it begins and whatever is around it', () => {
    const secret = 'k7Qz-0pLmX_9vTb2RwYc4'
    const hide = createRedactor([secret])
    const seen: string[] = []
    for (let start = 0; start + 12 <= secret.length; start++) {
      for (let end = start + 12; end <= secret.length; end++) {
        for (let before = 0; before < 9; before++) {
          const text = hide(`${'#'.repeat(before)}${secret.slice(start, end)}${'#'.repeat(3)}`)
          if (text !== `${'#'.repeat(before)}***###`) seen.push(text)
        }
      }
    }

    expect(seen).toEqual([])
  })
})
