/** How the emulated Nasiko behaves where its documents and its published source differ, or where the documents are silent. */
export interface NasikoProfile {
  /** Replies of update and rollback: inside `data`, or flat. */
  readonly envelope: boolean
  /** `status_code` in the body of an accepted update or rollback; HTTP says 200 in any case. */
  readonly acceptedCode: 200 | 202
  /** What was asked for can't be done (unknown agent, bad zip, no GitHub source): an HTTP error, or HTTP 200 with `status_code: 400`. */
  readonly refusals: 'http' | 'body'
  /** `build_id` and `deployment_id` of an update: there, or null. */
  readonly buildIds: boolean
  /** The version row of a build that failed: `failed`, or `building` for ever (only the upload record says so). */
  readonly failedBuilds: 'failed' | 'building'
  /** A rollback without `target_version`: to the previous version, or HTTP 500. */
  readonly rollbackTarget: 'optional' | 'required'
  /** An exact version in `version`: taken, or ignored (the patch is bumped). */
  readonly exactVersions: 'taken' | 'ignored'
  /** When the registry names a new version as current: once it is live, or before anything runs. */
  readonly registryFlips: 'when-live' | 'at-once'
  /** A rollback is answered when it is done, or when it is queued. */
  readonly rollbacks: 'done' | 'queued'
  /** The upload record after a rollback: `Active`, or `Setting Up` for ever (it hangs at 95 %). */
  readonly recordAfterRollback: 'settles' | 'hangs'
  /** The form field `description`. */
  readonly description: 'accepted' | 'refused'
}

/** As the published documents have it. */
export const documented: NasikoProfile = {
  envelope: true,
  acceptedCode: 200,
  refusals: 'http',
  buildIds: true,
  failedBuilds: 'failed',
  rollbackTarget: 'optional',
  exactVersions: 'taken',
  registryFlips: 'when-live',
  rollbacks: 'done',
  recordAfterRollback: 'settles',
  description: 'refused',
}

/** As the published source behaves, with all of its quirks. */
export const observed: NasikoProfile = {
  envelope: false,
  acceptedCode: 202,
  refusals: 'body',
  buildIds: false,
  failedBuilds: 'building',
  rollbackTarget: 'required',
  exactVersions: 'ignored',
  registryFlips: 'at-once',
  rollbacks: 'queued',
  recordAfterRollback: 'hangs',
  description: 'accepted',
}
