/** What OpenSSL and Node call a certificate that nobody vouches for (Node's documentation: "X509 certificate error codes"). */
const codes: readonly string[] = [
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

/** Trying again is no use. Nothing was sent. */
export const certificateRemedy =
  'Name the file with the certificate of your own authority, or of a proxy that looks into TLS, in `NODE_EXTRA_CA_CERTS`; or correct the address.'

/** Why a connection was not made, where that was the other side's certificate: the code of whatever error is behind this one. */
export function certificateProblem(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && codes.includes(String(error.code))) return String(error.code)
  return 'cause' in error ? certificateProblem(error.cause) : undefined
}
