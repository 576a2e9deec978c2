import { describe, expect, it } from 'vitest'
import { scanContent } from '../../src/bundle/scan.ts'
import { createScanner } from '../../src/bundle/scanner.ts'

/** Assembled at run time, so that this file itself holds nothing that looks like a secret. */
const token = (...parts: string[]) => parts.join('')
const random = 'aZ3kQ9xLm2Vb7TnR5wYp8CdE4fGh1JsK6uWq'

const real = [
  ['a GitHub token', token('gh', 'p_', random)],
  ['an AWS access key', token('AK', 'IA', 'Z3KQ9XLM2VB7TNR5')],
  ['an Anthropic key', token('sk-', 'ant-', 'api03-', random)],
  ['an OpenAI-style key', token('sk-', random, 'Zx9Q')],
  ['a Google API key', token('AI', 'za', random.slice(0, 35))],
  ['a Slack token', token('xox', 'b-', '1029384756-', random)],
  ['a Stripe live key', token('sk_', 'live_', random)],
  ['an npm token', token('npm', '_', random)],
  ['a Qoder token', token('pt', '-', random)],
] as const

describe('scanContent', () => {
  it.each(real)('finds %s, with its line and without its value', (kind, value) => {
    const findings = scanContent(Buffer.from(`first\nKEY = "${value}"\n`))

    expect(findings).toEqual([{ line: 2, kind }])
  })

  it.each(real)('finds %s wherever it lies, whatever is around it', (kind, value) => {
    for (let at = 0; at < 45; at++) {
      const text = `${'import x '.repeat(9).slice(0, at)}"${value}"${' y'.repeat(at % 7)}`

      expect(scanContent(Buffer.from(text)), text).toEqual([{ line: 1, kind }])
    }
  })

  it('finds a private key', () => {
    const pem = `${token('-----BEGIN ', 'RSA PRIVATE KEY-----')}\n${random}${random}\n`

    expect(scanContent(Buffer.from(`\n\n${pem}`))).toEqual([{ line: 3, kind: 'a private key' }])
  })

  it.each([
    ['a placeholder', token('gh', 'p_', 'x'.repeat(36))],
    ['an example', token('AK', 'IA', 'IOSFODNN7EXAMPLE')],
    ['a word that only begins alike', 'sk-learn and skip-this'],
    ['the name of a key format', 'expects a -----BEGIN PRIVATE KEY----- header'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nabc\n'],
    ['a commit hash', 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'],
    ['prose', 'the quick brown fox'],
  ])('is quiet about %s', (_, text) => {
    expect(scanContent(Buffer.from(text))).toEqual([])
  })

  it('reads no lines into binary content', () => {
    expect(scanContent(Buffer.concat([Buffer.from([0]), Buffer.from(real[0][1])]))).toEqual([])
  })
})

describe('createScanner', () => {
  const [, value] = real[0]

  it('finds a token that lies across two pieces, on the right line', () => {
    const scanner = createScanner([])
    const text = `${'line\n'.repeat(5000)}${value}\n`
    const cut = text.length - 20
    scanner.look('big.txt', Buffer.from(text.slice(0, cut)))
    scanner.look('big.txt', Buffer.from(text.slice(cut)))

    expect(scanner.findings()).toEqual(['big.txt:5001 (a GitHub token)'])
  })

  it.each([[['a.txt']], [['a.txt:1']]])('passes the reviewed exception %j', (allowed) => {
    const scanner = createScanner(allowed)
    scanner.look('a.txt', Buffer.from(value))
    scanner.look('b.txt', Buffer.from(value))

    expect(scanner.findings()).toEqual(['b.txt:1 (a GitHub token)'])
  })
})
