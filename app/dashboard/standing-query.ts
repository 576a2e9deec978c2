export const agentColumns =
  'a.key, a.repository_id, a.owner, a.repo, a.web_url, a.default_branch, a.installation, a.name, a.generation AS wanted, a.fence'

/**
 * What stands, per agent: each number is one step in an index, whatever the length of the history. Materialized, or every
 * use of a number would be a search of its own; COALESCE where the index of what is rare is the better one.
 */
export function standing(where: string): string {
  const newest = (condition: string) =>
    `(SELECT MAX(generation) FROM operation WHERE agent_key = a.key AND ${condition})`
  const decided = (decision: string) => `COALESCE(${newest(`decision = '${decision}'`)}, 0)`
  const later = (a: string, b: string) => `CASE WHEN ${a} > ${b} THEN ${a} ELSE ${b} END`
  return `WITH open AS MATERIALIZED (SELECT agent_key, MAX(CASE WHEN state = 'running' THEN generation END) AS running,
      SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END) AS queued FROM operation WHERE state <> 'done' GROUP BY agent_key),
  counted AS MATERIALIZED (SELECT ${agentColumns}, ${decided('deployed')} AS deployed, ${decided('rolled-back')} AS rolled_back,
      ${decided('held')} AS held, COALESCE(${newest("decision = 'held' AND kind = 'hold'")}, 0) AS ordered, COALESCE(${newest("code = 'hold-lifted' AND COALESCE(decision, '') = 'skipped'")}, 0) AS lifted,
      ${decided('failed')} AS failed, ${decided('unknown')} AS unclear, ${decided('refused')} AS refused,
      open.running, COALESCE(open.queued, 0) AS queued,
      (SELECT id FROM record WHERE agent_key = a.key AND live_at IS NOT NULL ORDER BY live_at DESC, deployment DESC LIMIT 1) AS recorded_live_id,
      (SELECT id FROM record WHERE agent_key = a.key AND live_at IS NULL ORDER BY created_at DESC, deployment DESC LIMIT 1) AS recorded_other_id
    FROM agent a LEFT JOIN open ON open.agent_key = a.key WHERE ${where}),
  c AS MATERIALIZED (SELECT counted.*, ${later('deployed', 'rolled_back')} AS live, ${later('rolled_back', 'ordered')} AS stopper,
      ${later('failed', later('unclear', 'refused'))} AS bad FROM counted),
  s AS MATERIALIZED (SELECT c.*, CASE WHEN stopper > lifted AND stopper > deployed THEN stopper ELSE held END AS stopped FROM c)
  SELECT s.*, l.id AS live_id, l.kind AS live_kind, l.trigger AS live_trigger, l.result AS live_result,
    h.id AS hold_id, h.kind AS hold_kind, h.trigger AS hold_trigger, h.request AS hold_request, h.created_at AS hold_since,
    b.id AS bad_id, b.decision AS bad_decision, b.code AS bad_code, b.created_at AS bad_at, r.id AS running_id, r.kind AS running_kind, t.created_at AS lifted_at,
    (SELECT facts FROM record WHERE id = s.recorded_live_id) AS recorded_live, (SELECT facts FROM record WHERE id = s.recorded_other_id) AS recorded_other
  FROM s LEFT JOIN operation l ON l.agent_key = s.key AND l.generation = s.live
    LEFT JOIN operation h ON h.agent_key = s.key AND h.generation = s.stopped AND s.stopped > s.deployed AND s.stopped > s.lifted
    LEFT JOIN operation b ON b.agent_key = s.key AND b.generation = s.bad AND s.bad > s.live
    LEFT JOIN operation r ON r.agent_key = s.key AND r.generation = s.running
    LEFT JOIN operation t ON t.agent_key = s.key AND t.generation = s.lifted
  ORDER BY s.owner, s.repo, s.name`
}
