/** Shorter values would hide ordinary words; no platform gives out credentials this short. */
export const shortestSecret = 6

/** Text that is a credential by its form alone, whoever's it is. */
const forms: readonly RegExp[] = [
  /\b(?:Bearer|Basic|token)\s+[\w.~+/=-]{12,}/gi,
  /\b(?:ghp|gho|ghu|ghs|ghr)_\w{20,}/g,
  /\bgithub_pat_\w{20,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  // A JSON web token that was cut off.
  /\beyJ[\w-]{8,}(?:\.[\w-]*)*(?=…)/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(?<=[?&](?:token|access_token|signature|sig|key)=)[^&\s"]{6,}/gi,
]

/** Makes a function that hides the given values, the forms they are sent in, and anything that looks like a credential. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const values = secrets.filter((secret) => secret.length >= shortestSecret)
  const variants = new Set(
    values.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
      ...secret.split('\n').filter((line) => line.length >= 16),
    ]),
  )
  const longestFirst = [...variants].sort((a, b) => b.length - a.length)
  return (text) => {
    let hidden = text
    for (const value of longestFirst) hidden = hidden.replaceAll(value, '***')
    if (hidden.includes(cut)) hidden = hideCut(hidden, longestFirst)
    for (const form of forms) hidden = hidden.replace(form, '***')
    return hidden
  }
}

/** What stands where a text was cut to its limit (`excerpt`, a status description). */
const cut = '…'

/** The beginning of a credential just before a cut: it is no longer the whole value, and still gives most of it away. */
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
