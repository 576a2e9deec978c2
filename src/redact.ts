/** Shorter values would hide ordinary words; no platform gives out credentials this short. */
export const shortestSecret = 6
/** So much of a credential gives it away, wherever it was cut; less is also found in ordinary words. */
const pieceLength = 12

/** Text that is a credential by its form alone, whoever's it is, whole or cut off. */
const forms: readonly RegExp[] = [
  /\b(?:Bearer|Basic|token)\s+[\w.~+/=-]{12,}/gi,
  /\b(?:ghp|gho|ghu|ghs|ghr)_\w{8,}/g,
  /\bgithub_pat_\w+/g,
  /\beyJ[\w-]{9,}(?:\.[\w-]*)*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(?<=[?&](?:token|access_token|signature|sig|key)=)[^&\s"]{6,}/gi,
]

/**
 * Makes a function that hides the given values and the forms they are sent in, any long piece of them (texts are cut to their
 * limits here and elsewhere), and anything that looks like a credential.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const values = secrets.filter((secret) => secret.length >= shortestSecret)
  const variants = new Set(values.flatMap(variantsOf))
  const longestFirst = [...variants].sort((a, b) => b.length - a.length)
  const pieces = collectPieces([...variants, ...values.flatMap(insideBase64)])
  return (text) => {
    let hidden = text
    for (const value of longestFirst) hidden = hidden.replaceAll(value, '***')
    // Before pieces: of two tokens that begin alike, one would be known in part, and no longer have its form.
    for (const form of forms) hidden = hidden.replace(form, '***')
    if (hidden.includes(cut)) hidden = hideCut(hidden, longestFirst)
    return pieces.whole.size > 0 ? hidePieces(hidden, pieces) : hidden
  }
}

function variantsOf(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    ...secret.split('\n').filter((line) => line.length >= 16),
  ]
}

/** As it stands in the base64 of something longer (`user:secret`): by how many bytes come before, without the mixed ends. */
function insideBase64(secret: string): readonly string[] {
  return [0, 1, 2].map((before) =>
    Buffer.from('x'.repeat(before) + secret)
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  )
}

/** Every part of a text that is this long. */
function partsOf(text: string, length: number): readonly string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length))
}

/** A probe that lies in every piece, when one is taken at each stride: so most of a text is passed over. */
const probeLength = 6
const stride = pieceLength - probeLength + 1

interface Pieces {
  readonly whole: ReadonlySet<string>
  readonly probes: ReadonlySet<string>
}

function collectPieces(texts: readonly string[]): Pieces {
  const whole = new Set(texts.flatMap((text) => partsOf(text, pieceLength)))
  return { whole, probes: new Set([...whole].flatMap((piece) => partsOf(piece, probeLength))) }
}

/** Every run of characters that is made of pieces alone. */
function hidePieces(text: string, { whole, probes }: Pieces): string {
  const isPiece = (at: number) => whole.has(text.slice(at, at + pieceLength))
  let hidden = ''
  let from = 0
  for (let at = 0; at + probeLength <= text.length; at += stride) {
    if (!probes.has(text.slice(at, at + probeLength))) continue
    let start = Math.max(from, at - stride + 1)
    while (start <= at && !isPiece(start)) start++
    if (start > at) continue
    let last = start
    while (isPiece(last + 1)) last++
    hidden += `${text.slice(from, start)}***`
    from = last + pieceLength
    at = Math.max(at, from - stride)
  }
  return hidden + text.slice(from)
}

/** What stands where a text was cut to its limit (`excerpt`, a status description). */
const cut = '…'

/** The beginning of a credential just before a cut, even where it is too short to be known for one elsewhere. */
function hideCut(text: string, values: readonly string[]): string {
  const parts = text.split(cut)
  const last = parts.pop() ?? ''
  return [...parts.map((part) => withoutBeginning(part, values)), last].join(cut)
}

function withoutBeginning(text: string, values: readonly string[]): string {
  for (const value of values) {
    for (let length = Math.min(value.length, text.length); length >= shortestSecret; length--) {
      if (text.endsWith(value.slice(0, length))) return `${text.slice(0, -length)}***`
    }
  }
  return text
}
