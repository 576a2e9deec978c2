/** Where the documents leave a choice, which way this Nullspace goes. */
export interface NullspaceProfile {
  /** `{error, code, …}` or `{error: {code, message, …}}`. */
  readonly errors: 'flat' | 'nested'
  /** Whether an upload is answered when the version is ready, or at once while it builds. */
  readonly upload: 'ready' | 'building'
  readonly build: 'succeeds' | 'fails' | 'hangs'
  /** How digests are written and what a bundle's is of. */
  readonly digest: 'sha256' | 'hex' | 'entries'
  /** Pages that the documents do not have. */
  readonly pages: { readonly version: boolean; readonly versions: boolean; readonly deployments: boolean }
  /** What a restarted service runs: the active version, or the one that it was started with. */
  readonly restart: 'active' | 'same'
  /** Somebody else publishes right after each upload. */
  readonly overtaken: boolean
  /** Leaves out `status` and `cache_policy`, as the documents' own example does. */
  readonly sparse: boolean
}

export const documented: NullspaceProfile = {
  errors: 'nested',
  upload: 'ready',
  build: 'succeeds',
  digest: 'sha256',
  pages: { version: true, versions: true, deployments: true },
  restart: 'active',
  overtaken: false,
  sparse: false,
}

/** Whatever the documents do not say, the other way round. */
export const otherwise: Partial<NullspaceProfile> = {
  errors: 'flat',
  upload: 'building',
  digest: 'hex',
  pages: { version: false, versions: true, deployments: false },
  sparse: true,
}
