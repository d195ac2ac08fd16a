"""The statements that assessment results are read by; relations in braces are filled in
by `gather_sql.render`."""

from __future__ import annotations

# Every piece of a control whose proof reaches into the window or later, with its files.
OBSERVED = """
SELECT p.implementation_id, p.state, p.ends, l.uuid AS link, l.half, e.uuid, e.title,
       rev.performed_on, rev.period_from, rev.period_until, rev.collected_on,
       r.reviewer_name AS reviewer, files.body AS files
  FROM evidence_proof p
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(f.name, b.sha256, b.media_type)
                    ORDER BY f.position, f.id) AS body
      FROM evidence_evidencefile f JOIN evidence_blob b ON b.id = f.blob_id
     WHERE f.revision_id = rev.id) files ON TRUE
  LEFT JOIN LATERAL (
    SELECT reviewer_name FROM evidence_review r WHERE r.link_id = l.id AND {before}
     ORDER BY r.id DESC LIMIT 1) r ON TRUE
 WHERE p.implementation_id = ANY(%(implementations)s::bigint[])
   AND p.starts <= %(day)s AND (p.starts >= %(since)s OR p.ends >= %(since)s)
   AND {holding} AND {proof_standing}
 ORDER BY array_position(%(implementations)s::bigint[], p.implementation_id),
       p.starts DESC, p.link_id DESC, p.id
"""
# What auditors of the system's engagements that touch the window say, by control.
MARKS = """
SELECT m.implementation_id, m.uuid::text AS uuid, m.state, m.methods, m.reference,
       m.note, m.marked_at, e.firm, e.uuid::text AS engagement, c.statements
  FROM (SELECT * FROM evidence_controlmark_versions
         WHERE known_from < %(known_at)s
           AND (known_until IS NULL OR known_until >= %(known_at)s)) m
  JOIN {engagement} e ON e.id = m.engagement_id
  JOIN {implementation} i ON i.id = m.implementation_id
  JOIN {control_texts} c ON c.id = i.control_id
 WHERE m.implementation_id = ANY(%(implementations)s::bigint[])
   AND m.state IN ('satisfied', 'other_than_satisfied')
   AND m.engagement_id = ANY(%(engagements)s::bigint[])
   AND e.window_start <= %(until)s AND e.window_end >= %(since)s
 ORDER BY array_position(%(implementations)s::bigint[], m.implementation_id), m.id
"""
# What was seen to fail on days of the window; explained, where a second person agreed.
FAILED = """
SELECT o.implementation_id, o.uuid::text AS uuid, o.part, o.source, o.text,
       o.observed_on,
       EXISTS (
         SELECT FROM evidence_disposition q
           JOIN (SELECT * FROM evidence_dispositiondecision WHERE {before}) d
             ON d.disposition_id = q.id AND d.decision = 'accept'
          WHERE q.observation_id = o.id) AS is_explained
  FROM (SELECT * FROM evidence_failingobservation WHERE {before}) o
 WHERE o.implementation_id = ANY(%(implementations)s::bigint[])
   AND o.observed_on BETWEEN %(since)s AND %(day)s
 ORDER BY array_position(%(implementations)s::bigint[], o.implementation_id),
       o.observed_on, o.id
"""
