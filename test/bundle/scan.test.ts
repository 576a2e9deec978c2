import { describe, expect, it } from 'vitest'
import { scanContent } from '../../src/bundle/scan.ts'
import { createPieceScan, createScanner } from '../../src/bundle/scanner.ts'
import { tokenForms } from '../../src/bundle/token-forms.ts'

/** Assembled at run time, so that this file itself holds nothing that looks like a secret. */
const token = (...parts: string[]) => parts.join('')
const random = 'aZ3kQ9xLm2Vb7TnR5wYp8CdE4fGh1JsK6uWq'

const long = random.repeat(6)
const hex = '9f3ac27e51bd08e46a7cd1f2b35e8094'.repeat(3)
const capitals = 'Z3KQ9XLM2VB7TNR5WYP8CDE4FGHJSK6UWQ'.repeat(2)
const letters = 'aZkQxLmVbTnRwYpCdEfGhJsKuWqoPiUyTr'

const real = [
  ['an Anthropic key', token('sk-', 'ant-', 'api03-', random)],
  ['an OpenAI key', token('sk-', 'proj-', random.slice(0, 20), 'T3Blbk', 'FJ', random)],
  ['an OpenAI-style key', token('sk-', random, 'Zx9Q')],
  ['a Google API key', token('AI', 'za', random.slice(0, 35))],
  ['a Hugging Face token', token('h', 'f_', letters)],
  ['a Groq key', token('gs', 'k_', long.slice(0, 52))],
  ['an xAI key', token('xa', 'i-', long.slice(0, 80))],
  ['a Perplexity key', token('ppl', 'x-', long.slice(0, 48))],
  ['a Replicate token', token('r', '8_', long.slice(0, 37))],
  ['a Tavily key', token('tv', 'ly-', 'dev-', random.slice(0, 32))],
  ['a Pinecone key', token('pc', 'sk_', long.slice(0, 70))],
  ['a LangSmith key', token('ls', 'v2_', 'pt_', hex.slice(0, 32), '_', hex.slice(0, 10))],
  ['an ElevenLabs key', token('s', 'k_', hex.slice(0, 48))],
  ['an E2B key', token('e2', 'b_', hex.slice(0, 40))],
  ['a Qoder token', token('pt', '-', random)],
  ['an AWS access key', token('AK', 'IA', 'Z3KQ9XLM2VB7TNR5')],
  ['an AWS access key', token('AS', 'IA', 'Z3KQ9XLM2VB7TNR5')],
  ['a DigitalOcean token', token('do', 'p_v1_', hex.slice(0, 64))],
  ['a Databricks token', token('da', 'pi', hex.slice(0, 32))],
  ['a Supabase token', token('sb', 'p_', hex.slice(0, 40))],
  ['a HashiCorp Vault token', token('hv', 's.', long.slice(0, 95))],
  ['a Google OAuth secret', token('GOC', 'SPX-', random.slice(0, 28))],
  ['a Docker Hub token', token('dckr', '_pat_', random.slice(0, 27))],
  ['an age key', token('AGE-', 'SECRET-KEY-1', capitals.replaceAll('B', 'C').slice(0, 58))],
  ['a GitHub token', token('gh', 'p_', random)],
  ['a GitHub token', token('gh', 's_', random)],
  ['a GitHub token', token('github', '_pat_', long.slice(0, 82))],
  ['a GitLab token', token('gl', 'pat-', random.slice(0, 20))],
  ['an npm token', token('npm', '_', random)],
  ['a PyPI token', token('py', 'pi-', 'AgEIcHlwaS5vcmc', long.slice(0, 60))],
  ['a Slack token', token('xox', 'b-', '1029384756-', random)],
  ['a Slack token', token('xa', 'pp-1-', 'A0B1C2D3E4F-', '1029384756-', hex.slice(0, 64))],
  ['a Telegram bot token', token('1029384756', ':AA', random.slice(0, 33))],
  ['a Notion token', token('nt', 'n_', '10293847569', random.slice(0, 35))],
  ['a Linear key', token('lin', '_api_', long.slice(0, 40))],
  ['an Atlassian token', token('ATA', 'TT3', long.slice(0, 120))],
  ['a Shopify token', token('shp', 'at_', hex.slice(0, 32))],
  ['a Stripe live key', token('sk_', 'live_', random)],
  ['a SendGrid key', token('S', 'G.', random.slice(0, 22), '.', long.slice(0, 43))],
  ['a Twilio key', token('S', 'K', hex.slice(0, 32))],
  ['a Grafana token', token('gl', 'sa_', random.slice(0, 32), '_', hex.slice(0, 8))],
  ['a New Relic key', token('NR', 'AK-', capitals.slice(0, 27))],
  ['a Postman key', token('PM', 'AK-', hex.slice(0, 24), '-', hex.slice(0, 34))],
] as const

it.each(Array.from({ length: 45 }, (_, at) => at))(
  'a token is found wherever it stands: after %i other bytes',
  (at) => {
    const github = token('gh', 'p_', random)
    for (const before of ['x '.repeat(30).slice(-at - 1), `${'-'.repeat(at)} `, `${'ab1_'.repeat(12).slice(0, at)}\n`])
      expect(scanContent(Buffer.from(`${before}${github} and more`))).toMatchObject([{ kind: 'a GitHub token' }])
  },
)

describe('scanContent', () => {
  it('knows no form that is not tried here', () => {
    const kinds = (rows: Iterable<string>) => [...new Set(rows)].sort()

    expect(kinds(real.map(([kind]) => kind))).toEqual(kinds(tokenForms.map(({ kind }) => kind)))
  })

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
    ['a name in kebab case', 'sk-centric-memory-and-a-very-long-name-that-goes-on-and-on'],
    ['a function that begins alike', 'ghp_import_everything_from_the_old_repository(page)'],
    ['a key to fill in', token('sk-', 'ant-', 'api03-your-api-key-goes-here-in-this-place')],
    ['the head of a key without its body', token('-----BEGIN ', 'RSA PRIVATE KEY-----', '\\n...\\n')],
    ['an integrity hash', 'sha512-gSKaZ3kQ9xLm2Vb7TnR5wYp8CdE4fGh1JsK6uWqAKIAsbp9f3ac27e51bd08e46a7=='],
    ['the name of a key format', 'expects a -----BEGIN PRIVATE KEY----- header'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nabc\n'],
    ['a commit hash', 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'],
    ['prose', 'the quick brown fox'],
  ])('is quiet about %s', (_, text) => {
    expect(scanContent(Buffer.from(text))).toEqual([])
  })

  it('reads no lines into binary content', () => {
    expect(scanContent(Buffer.concat([Buffer.from([0]), Buffer.from(token('gh', 'p_', random))]))).toEqual([])
  })
})

const value = token('gh', 'p_', random)

describe('createPieceScan', () => {
  it('finds a token wherever the seam of two pieces cuts it, on the right line, also where their bytes are gone by then', () => {
    const text = `${'line\n'.repeat(5000)}${value}\nmore\n`
    for (let cut = 24_990; cut < 25_050; cut++) {
      const scan = createPieceScan()
      const piece = Buffer.from(text.slice(0, cut))
      const findings = [...scan(piece, { last: false })]
      piece.fill(0)
      findings.push(...scan(Buffer.from(text.slice(cut)), { last: true }))

      expect(new Set(findings.map(({ line, kind }) => `${line} ${kind}`)), `cut at ${cut}`).toEqual(
        new Set(['5001 a GitHub token']),
      )
    }
  })

  it('counts lines over pieces', () => {
    const scan = createPieceScan()
    scan(Buffer.from('a\n'.repeat(6000)), { last: false })
    scan(Buffer.from('b\n\n'), { last: false })

    const found = scan(Buffer.from(`\n${value}`), { last: true })

    expect(new Set(found.map(({ line }) => line))).toEqual(new Set([6004]))
  })

  it('reads no lines into any piece of a binary content', () => {
    const scan = createPieceScan()
    scan(Buffer.from([0, 1, 2]), { last: false })

    expect(scan(Buffer.from(value), { last: true })).toEqual([])
  })
})

describe('createScanner', () => {
  it.each([[['a.txt']], [['a.txt:1']]])('passes the reviewed exception %j', (allowed) => {
    const scanner = createScanner(allowed)
    scanner.look('a.txt', Buffer.from(value))
    scanner.look('b.txt', Buffer.from(value))

    expect(scanner.findings()).toEqual(['b.txt:1 (a GitHub token)'])
  })
})
