/** Raised when the tables change; a database of another version is not opened. */
export const schemaVersion = 2

/** The tables, for both databases; `blob` is the one type that has two names. */
export function tables(types: { blob: string }): readonly string[] {
  return [
    'CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
    // Who works on this database; a second process of the embedded form does not start.
    'CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY, instance TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, heartbeat BIGINT NOT NULL)',
    // Webhooks as they came; the body is dropped once it is handled, the GUID stays to recognise redeliveries.
    `CREATE TABLE IF NOT EXISTS delivery (guid TEXT PRIMARY KEY, event TEXT NOT NULL, body ${types.blob}, received_at BIGINT NOT NULL,
      state TEXT NOT NULL, tries INTEGER NOT NULL, not_before BIGINT NOT NULL, error TEXT)`,
    "CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (received_at) WHERE state = 'stored'",
    'CREATE INDEX IF NOT EXISTS delivery_age ON delivery (received_at)',
    // One row per agent; `fence` counts the runs that have claimed it, `generation` what was wanted of it.
    `CREATE TABLE IF NOT EXISTS agent (key TEXT PRIMARY KEY, repository_id BIGINT NOT NULL, owner TEXT NOT NULL, repo TEXT NOT NULL,
      web_url TEXT NOT NULL, default_branch TEXT NOT NULL, installation BIGINT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, fence INTEGER NOT NULL)`,
    // What was wanted of an agent, one row per trigger and agent, with its one decision.
    `CREATE TABLE IF NOT EXISTS operation (id TEXT PRIMARY KEY, agent_key TEXT NOT NULL REFERENCES agent (key), delivery TEXT NOT NULL, kind TEXT NOT NULL,
      commit_sha TEXT NOT NULL, trigger TEXT NOT NULL, request TEXT NOT NULL, comment_id TEXT, generation INTEGER NOT NULL, state TEXT NOT NULL,
      tries INTEGER NOT NULL, not_before BIGINT NOT NULL, decision TEXT, code TEXT, result TEXT,
      created_at BIGINT NOT NULL, started_at BIGINT, finished_at BIGINT, changed_at BIGINT NOT NULL)`,
    "CREATE INDEX IF NOT EXISTS operation_active ON operation (agent_key, generation) WHERE state <> 'done'",
    'CREATE INDEX IF NOT EXISTS operation_agent ON operation (agent_key, generation)',
    'CREATE INDEX IF NOT EXISTS operation_delivery ON operation (delivery)',
    'CREATE INDEX IF NOT EXISTS operation_comment ON operation (comment_id) WHERE comment_id IS NOT NULL',
    // For those who look: what stands per agent, what was given up lately, and whether anything is new.
    'CREATE INDEX IF NOT EXISTS operation_decision ON operation (agent_key, decision, generation)',
    "CREATE INDEX IF NOT EXISTS operation_lifted ON operation (agent_key, generation) WHERE code = 'hold-lifted'",
    "CREATE INDEX IF NOT EXISTS operation_superseded ON operation (created_at) WHERE decision = 'superseded'",
    'CREATE INDEX IF NOT EXISTS operation_changed ON operation (changed_at)',
    'CREATE INDEX IF NOT EXISTS operation_history ON operation (agent_key, created_at, generation)',
    'CREATE INDEX IF NOT EXISTS operation_decided ON operation (agent_key, decision, created_at, generation)',
    "CREATE INDEX IF NOT EXISTS operation_rare ON operation (agent_key, kind, created_at, generation) WHERE kind <> 'deploy'",
    // What others (the Action, another app) have recorded in the ledger of these repositories, as GitHub told; only for reading.
    `CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, agent_key TEXT NOT NULL REFERENCES agent (key), deployment BIGINT NOT NULL, kind TEXT NOT NULL,
      decision TEXT, live_at BIGINT, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, facts TEXT NOT NULL)`,
    'CREATE INDEX IF NOT EXISTS record_history ON record (agent_key, created_at, deployment)',
    'CREATE INDEX IF NOT EXISTS record_live ON record (agent_key, live_at, deployment) WHERE live_at IS NOT NULL',
    'CREATE INDEX IF NOT EXISTS record_other ON record (agent_key, created_at, deployment) WHERE live_at IS NULL',
    'CREATE INDEX IF NOT EXISTS record_open ON record (created_at) WHERE decision IS NULL',
    'CREATE INDEX IF NOT EXISTS record_changed ON record (changed_at)',
    // The step log: what was done before a crash is not done again.
    `CREATE TABLE IF NOT EXISTS step (operation_id TEXT NOT NULL REFERENCES operation (id) ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
      fence INTEGER NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (operation_id, name))`,
    // What the log said while an operation was worked on; only for reading.
    `CREATE TABLE IF NOT EXISTS log_line (operation_id TEXT NOT NULL, at BIGINT NOT NULL, number INTEGER NOT NULL,
      level TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (operation_id, at, number))`,
    'CREATE INDEX IF NOT EXISTS log_line_age ON log_line (at)',
    // Where each branch stood when its last push was handled.
    'CREATE TABLE IF NOT EXISTS head (repository_id BIGINT NOT NULL, branch TEXT NOT NULL, sha TEXT NOT NULL, PRIMARY KEY (repository_id, branch))',
    // Comments with commands, and what was answered to each.
    `CREATE TABLE IF NOT EXISTS comment (id TEXT PRIMARY KEY, pull TEXT NOT NULL, facts TEXT NOT NULL, state TEXT NOT NULL, sections TEXT,
      tries INTEGER NOT NULL, not_before BIGINT NOT NULL, created_at BIGINT NOT NULL)`,
    'CREATE INDEX IF NOT EXISTS comment_pull ON comment (pull, created_at)',
    "CREATE INDEX IF NOT EXISTS comment_active ON comment (created_at) WHERE state <> 'done'",
    // The one comment of this app on a pull request: who writes it now, and a hash of what it says.
    `CREATE TABLE IF NOT EXISTS sticky (pull TEXT PRIMARY KEY, comment_id BIGINT, shown TEXT, wanted INTEGER NOT NULL,
      reached INTEGER NOT NULL, spoiled INTEGER NOT NULL, holder TEXT, held_until BIGINT NOT NULL)`,
  ]
}
