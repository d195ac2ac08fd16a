"""The statement that gathers findings and failing observations of controls.

Relations in braces are filled in by `gather_sql.render`; rows are append-only, so what
was known then is what was written before.
"""

from __future__ import annotations

# Observations that nothing was made of, and findings that were not decided to be none,
# up to a day. A closing counts while the evidence that it names is accepted; of several
# risk adjustments the one decided last.
FINDINGS = """
SELECT o.implementation_id, o.uuid::text AS uuid, '' AS title, NULL AS severity,
       o.observed_on AS found_on, NULL::date AS closed_on, FALSE AS without_due_day
  FROM (SELECT * FROM evidence_failingobservation
         WHERE implementation_id = ANY(%(implementations)s)
           AND observed_on <= %(until)s AND {before}) o
 WHERE NOT EXISTS (
         SELECT FROM (SELECT * FROM evidence_finding WHERE {before}) f
          WHERE f.observation_id = o.id)
   AND NOT EXISTS (
         SELECT FROM evidence_disposition q
           JOIN (SELECT * FROM evidence_dispositiondecision WHERE {before}) d
             ON d.disposition_id = q.id AND d.decision = 'accept'
          WHERE q.observation_id = o.id)
UNION ALL
SELECT f.implementation_id, f.uuid::text, f.title,
       coalesce(made.severity, f.severity), f.found_on, made.closed_on,
       coalesce(made.operational, FALSE)
  FROM (SELECT * FROM evidence_finding
         WHERE implementation_id = ANY(%(implementations)s)
           AND found_on <= %(until)s AND {before}) f
  LEFT JOIN LATERAL (
    SELECT min(d.decided_on) FILTER (
             WHERE q.kind = 'closure' AND EXISTS (
               SELECT FROM evidence_proof p
                WHERE p.link_id = q.link_id AND p.state = 'accepted'
                  AND {proof_standing})) AS closed_on,
           bool_or(q.kind = 'false-positive') AS never,
           bool_or(q.kind = 'operational-requirement') AS operational,
           (array_agg(q.severity ORDER BY d.id DESC)
             FILTER (WHERE q.kind = 'risk-adjustment'))[1] AS severity
      FROM evidence_disposition q
      JOIN (SELECT * FROM evidence_dispositiondecision WHERE {before}) d
        ON d.disposition_id = q.id AND d.decision = 'accept'
     WHERE q.finding_id = f.id) made ON TRUE
 WHERE made.never IS NOT TRUE
 ORDER BY 1, 5, 2
"""
