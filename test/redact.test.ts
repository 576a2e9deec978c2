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
    ['no word of three letters, though it is a "secret"', 'abc', 'abc'],
    ['nothing else', 'agents/support is 1.2.3', 'agents/support is 1.2.3'],
  ])('hides %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected)
  })
})
