import { hideSecrets } from './bundle/scan.ts'
import { createRedactor } from './redact.ts'

/** Words that make a key the name of a credential; `max_tokens` has none of them. */
const secretWords: readonly string[] = [
  'secret',
  'secrets',
  'password',
  'passwd',
  'passphrase',
  'token',
  'apikey',
  'credential',
  'credentials',
  'authorization',
  'bearer',
  'cookie',
  'pat',
]
/** The last of two words that do so together: `api_key`, `private-key`, `accessKey`. */
const beforeKey: readonly string[] = ['api', 'private', 'access', 'secret', 'signing', 'encryption', 'auth']

/** Does a key by its name hold a credential? */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (words.some((word) => secretWords.includes(word))) return true
  return words.some((word, at) => word === 'key' && beforeKey.includes(words[at - 1] ?? ''))
}

/** Hides what looks like a credential wherever it stands in a text. */
export function createConcealer(): (text: string) => string {
  const redact = createRedactor([])
  return (text) => hideSecrets(redact(text)).replace(/(?<=:\/\/)[^\s/:@]+:[^\s/@]+(?=@)/g, '***')
}
