"""The statements that gather what status and period judge.

Each is written against names of relations in braces: `{link}` is the table itself
when knowledge is today's, else its rows as they were known before %(known_at)s.

One file: they are read together, and share the names of relations.
"""

from __future__ import annotations

TABLES = {
    "alternative": "controls_alternativeimplementation",
    "change": "controls_retrospectivechange",
    "closing": "evidence_windowclosing",
    "engagement": "controls_engagement",
    "system": "controls_system",
    "component": "controls_systemcomponent",
    "system_terms": "controls_systemterms",
    "implementation": "controls_controlimplementation",
    "control": "controls_control",
    "control_texts": "controls_control",
    "crosswalk": "controls_crosswalk",
    "statement": "controls_implementationstatement",
    "team": "controls_team",
    "applicability": "controls_applicabilitydecision",
    "requirement": "evidence_evidencerequirement",
    "terms": "evidence_requirementterms",
    "link": "evidence_evidencelink",
    "evidence": "evidence_evidence",
    "artifact": "evidence_artifact",
    "artifact_version": "evidence_artifactversion",
    "letter": "evidence_continuityletter",
    "citation": "evidence_citation",
    "coverage_line": "evidence_coverageline",
    "removal": "evidence_spillremoval",
    "request": "evidence_evidencerequest",
}

# Of the rows of one link, `p`, the one whose end is right for the day asked about.
HOLDING = "p.holds_from <= %(day)s AND p.holds_until > %(day)s"
BEFORE = "known_from < %(known_at)s"
STANDING = f"{BEFORE} AND (known_until IS NULL OR known_until >= %(known_at)s)"

# A catalog is a publication: before it was loaded its oldest wording stands. The texts
# of its controls are put in order only where they are read: that takes longest.
_CATALOG_THEN = """(
SELECT DISTINCT ON (id) {columns} FROM controls_control_versions
 ORDER BY id, (known_from < %(known_at)s) DESC,
       CASE WHEN known_from < %(known_at)s THEN known_from END DESC, known_from)"""
_NAMES = "id, ref_id, label, title, family, family_title, withdrawn, sort_order"


# The control of a provider's report that an ask `r` answers, while a report of that
# series expects it: one that its auditor withdrew does until the system's newest review
# does not rely on it, by another person than who recorded that (R26, R32). Most asks
# answer none: nothing is looked up for them.
_BINDING = """CASE WHEN r.user_control_id IS NOT NULL THEN (
SELECT m.id FROM evidence_reportremark m
  JOIN evidence_artifactversion of_remark ON of_remark.id = m.artifact_version_id
 WHERE m.id = r.user_control_id AND EXISTS (
   SELECT FROM (SELECT * FROM evidence_reportremark WHERE {before}) same
     JOIN {artifact_version} v ON v.id = same.artifact_version_id
    WHERE same.kind = 'user-control' AND same.title = m.title
      AND v.artifact_id = of_remark.artifact_id
      AND NOT (v.state = 'withdrawn' AND coalesce((
        SELECT w.conclusion = 'do-not-rely'
               AND w.reviewer_id IS DISTINCT FROM v.ended_by_id
          FROM evidence_reliancereview w
         WHERE w.artifact_version_id = v.id AND w.system_id = r.system_id AND {before}
         ORDER BY w.known_from DESC, w.id DESC LIMIT 1), FALSE)))) END"""


def render(statement: str, *, as_known_then: bool) -> str:
    """The statement with its relations filled in, for today's or past knowledge."""
    if not as_known_then:
        names = TABLES | {
            "standing": "known_until IS NULL",
            "before": "TRUE",
            "proof_standing": "p.known_until IS NULL",
        }
    else:
        names = {
            short: f"(SELECT * FROM {table}_versions WHERE {STANDING})"
            for short, table in TABLES.items()
        }
        names["control"] = _CATALOG_THEN.format(columns=_NAMES)
        names["control_texts"] = _CATALOG_THEN.format(columns="*")
        names |= {
            "standing": STANDING,
            "before": BEFORE,
            "proof_standing": (
                "p.known_from < %(known_at)s AND"
                " (p.known_until IS NULL OR p.known_until >= %(known_at)s)"
            ),
        }
    names["binding_user_control"] = _BINDING.format(**names)
    return statement.format(holding=HOLDING, **names)


SYSTEMS = """
SELECT s.id, s.regime, s.impact_level, s.partition, s.currency_days,
       coalesce(s.letter_months, 3) AS letter_months, s.time_zone,
       s.name, s.slug, s.window_start, s.window_end
  FROM {system} s WHERE s.id = ANY(%(systems)s)
"""

# What the systems are judged by on the day; of one that was never changed, no row.
SYSTEM_TERMS = """
SELECT t.system_id, t.regime, t.impact_level, t.partition, t.currency_days,
       coalesce(t.letter_months, 3) AS letter_months
  FROM {system_terms} t
 WHERE t.system_id = ANY(%(systems)s) AND t.days @> %(day)s::date
"""

COMPONENTS = """
SELECT c.system_id, v.slug AS variant, sv.slug AS service, sv.name AS service_name,
       sv.provider AS offered_by, sv.is_global, c.regions, c.name, c.provided_by,
       c.used_from, c.used_until
  FROM {component} c
  JOIN controls_servicevariant v ON v.id = c.variant_id
  JOIN controls_service sv ON sv.id = v.service_id
 WHERE c.system_id = ANY(%(systems)s) AND sv.provider <> 'customer'
 ORDER BY c.id
"""

# `{among}` are the keys of the rows. What is read of few of them is one set, not one
# look for each row.
_IMPLEMENTATION_ROWS = """
SELECT i.id, i.uuid, c.ref_id, i.control_id, c.label, c.title, c.family, c.sort_order,
       coalesce(st.status, 'not-stated') AS implementation_status,
       coalesce(st.part_statuses, '{{}}') AS part_statuses,
       CASE WHEN a.id IS NULL THEN 'applicable'
            WHEN a.starts_on IS NULL THEN i.applicability
            WHEN a.state = 'requested' THEN 'na-requested'
            WHEN a.review_by < %(day)s OR a.voided_from <= %(day)s THEN 'applicable'
            ELSE 'not-applicable' END AS applicability,
       EXISTS (
         SELECT FROM {alternative} x
          WHERE x.implementation_id = i.id AND x.starts_on <= %(day)s
            AND x.state IN ('approved', 'ending', 'ended') AND x.review_by >= %(day)s
            AND (x.state <> 'ended' OR x.ended_on > %(day)s)) AS alternative_approved,
       t.name AS owner, d.responsibility, d.source, d.basis_id,
       g.system_id IS NOT NULL AS type2,
       d.reason AS decision_reason, rv.version AS reference_version,
       o.ends_on AS override_until,
       coalesce(o.needed_from, '') AS needed_from,
       a.state AS na_state, a.basis_id AS na_basis,
       CASE WHEN a.absent_layers IS NULL THEN a.basis_id IS DISTINCT FROM d.basis_id
            ELSE coalesce(a.voided_from <= %(day)s, FALSE) END AS na_void,
       a.review_by AS na_review_by, a.justification AS na_justification,
       coalesce(own.numbers, '{{}}') AS regime_numbers
  FROM {implementation} i
  JOIN {control} c ON c.id = i.control_id
  LEFT JOIN {team} t ON t.id = i.owner_team_id
  LEFT JOIN (
    SELECT n.implementation_id,
           array_agg(DISTINCT n.number ORDER BY n.number) AS numbers
      FROM controls_crosswalknumber n
      JOIN {crosswalk} w ON w.id = n.crosswalk_id AND w.starts_on <= %(day)s
       AND (w.ended_on IS NULL OR w.ended_on > %(day)s)
     WHERE n.implementation_id {among}
     GROUP BY n.implementation_id) own ON own.implementation_id = i.id
  LEFT JOIN (
    SELECT DISTINCT system_id FROM {engagement} g
     WHERE g.kind = 'type2' AND %(day)s BETWEEN g.window_start AND g.window_end
    ) g ON g.system_id = i.system_id
  LEFT JOIN {statement} st ON st.implementation_id = i.id AND st.days @> %(day)s::date
  LEFT JOIN LATERAL (
    SELECT * FROM controls_responsibilitydecision d
     WHERE d.implementation_id = i.id AND d.effective @> %(day)s::date AND {before}
     ORDER BY d.known_from DESC, d.id DESC LIMIT 1) d ON TRUE
  LEFT JOIN controls_referenceversion rv ON rv.id = d.reference_version_id
  LEFT JOIN controls_responsibilityoverride o ON o.id = d.override_id
  LEFT JOIN (
    SELECT DISTINCT ON (a.implementation_id)
           a.implementation_id, a.id, a.starts_on, a.basis_id, a.absent_layers,
           a.voided_from, a.review_by, a.justification,
           CASE WHEN a.ended_on IS NULL THEN a.state ELSE 'approved' END AS state
      FROM {applicability} a WHERE a.implementation_id {among}
       AND (a.starts_on IS NULL OR (a.starts_on <= %(day)s
            AND a.state IN ('requested', 'approved', 'ended')))
       AND (a.ended_on IS NULL OR %(day)s < a.ended_on)
     ORDER BY a.implementation_id, a.id DESC) a ON a.implementation_id = i.id
 WHERE i.id {among}
 ORDER BY c.sort_order
"""
IMPLEMENTATIONS = _IMPLEMENTATION_ROWS.replace("{among}", "= ANY(%(implementations)s)")
# The same for a whole system, whose keys nobody has read yet.
IMPLEMENTATIONS_OF_SYSTEM = _IMPLEMENTATION_ROWS.replace(
    "{among}",
    "IN (SELECT id FROM controls_controlimplementation WHERE system_id = %(system)s)",
)

# What names the controls of a system, without how they stand: most of a list is chosen
# by it, and only the rows of one page are read whole.
NAMED_CONTROLS = """
SELECT i.id, i.control_id, c.ref_id, c.label, c.title, c.family, t.name AS owner,
       coalesce(own.numbers, '{{}}') AS regime_numbers
  FROM {implementation} i
  JOIN {control} c ON c.id = i.control_id
  LEFT JOIN {team} t ON t.id = i.owner_team_id
  LEFT JOIN (
    SELECT n.implementation_id,
           array_agg(DISTINCT n.number ORDER BY n.number) AS numbers
      FROM controls_crosswalknumber n
      JOIN {crosswalk} w ON w.id = n.crosswalk_id AND w.starts_on <= %(day)s
       AND (w.ended_on IS NULL OR w.ended_on > %(day)s)
     WHERE w.system_id = %(system)s
     GROUP BY n.implementation_id) own ON own.implementation_id = i.id
 WHERE i.system_id = %(system)s
 ORDER BY c.sort_order
"""

BASES = "SELECT digest, body FROM controls_basis WHERE digest = ANY(%(digests)s)"

# Whether its day was confirmed matters only of what was brought after the day.
# IS TRUE keeps the day out of the index condition: as a part of it PostgreSQL 18 skips
# along `ends` for each requirement, which takes half as long again; or, where nothing
# waits, along the controls of all systems, a thousand times as long.
REQUIREMENTS = """
SELECT r.id, r.uuid::text AS uuid, r.implementation_id, t.title, t.cadence,
       t.purpose, t.grace_days, t.lead_days, r.operates_from, r.operates_until,
       coalesce(t.population_cadence, 'quarterly') AS population_cadence,
       {binding_user_control} AS user_control_id,
       p.link_id, p.starts, p.ends, p.occurrence, p.occurrence_ends,
       l.uuid::text AS link,
       e.uuid::text AS evidence, e.title AS evidence_title, rev.collected_on,
       coalesce(w.day_confirmed, FALSE) AS day_confirmed,
       (rev.uploaded_at AT TIME ZONE y.time_zone)::date AS uploaded_on,
       waiting.submitted, waiting.rejected_at > l.submitted_at AS newer_rejected
  FROM {requirement} r
  JOIN {terms} t ON t.ask_id = r.ask_id AND t.days @> %(day)s::date
  JOIN controls_system y ON y.id = r.system_id
  LEFT JOIN LATERAL (
    SELECT p.link_id, p.starts, p.ends, p.occurrence, p.occurrence_ends
      FROM evidence_proof p
     WHERE p.requirement_id = r.id AND p.half = 'customer' AND p.state = 'accepted'
       AND (p.starts <= %(day)s AND {holding}) IS TRUE AND {standing}
     ORDER BY p.ends DESC, p.starts DESC, p.link_id DESC LIMIT 1) p ON TRUE
  LEFT JOIN evidence_evidencelink l ON l.id = p.link_id
  LEFT JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  LEFT JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT day_confirmed FROM evidence_review w
     WHERE w.link_id = p.link_id AND w.decision = 'accept' AND {before}
       AND rev.uploaded_at >= %(day)s::date - 1
     ORDER BY w.id DESC LIMIT 1) w ON TRUE
  LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.state = 'submitted') AS submitted,
           max(CASE WHEN p.state = 'rejected' THEN (
             SELECT submitted_at FROM evidence_evidencelink pl
              WHERE pl.id = p.link_id) END) AS rejected_at
      FROM evidence_proof p
     WHERE p.requirement_id = r.id AND p.half = 'customer'
       AND p.state IN ('submitted', 'rejected')
       AND (p.starts <= %(day)s AND {holding}) IS TRUE AND {proof_standing}
    ) waiting ON TRUE
 WHERE r.implementation_id = ANY(%(implementations)s)
   AND r.operates_from <= %(day)s
   AND (r.operates_until IS NULL OR r.operates_until > %(day)s)
 ORDER BY r.implementation_id, r.id
"""

# Populations of per-event requirements that touch begins..until, with their state and
# what became of the different events in their samples. Withdrawn ones count no more,
# but for the deviations that are on record of them.
POPULATIONS = """
SELECT q.requirement_id, r.implementation_id, q.uuid, q.starts, q.ends,
       q.row_count AS rows, (q.drawn_at AT TIME ZONE y.time_zone)::date AS drawn_on,
       drawn.is_sampled, coalesce(said.decision, 'submitted') AS state,
       coalesce(said.day_confirmed, FALSE) AS day_confirmed,
       shown.items, shown.proven, shown.waiting, shown.deviations,
       shown.still_open, shown.deviating, shown.lacking
  FROM (SELECT * FROM evidence_population WHERE {before}) q
  JOIN evidence_evidencerequirement r ON r.id = q.requirement_id
  JOIN controls_system y ON y.id = q.system_id
  LEFT JOIN LATERAL (
    SELECT decision, day_confirmed FROM evidence_populationreview w
     WHERE w.population_id = q.id AND {before} ORDER BY w.id DESC LIMIT 1) said ON TRUE
  LEFT JOIN LATERAL (
    SELECT count(*) > 0 AS is_sampled FROM evidence_sample s
     WHERE s.population_id = q.id AND {before}) drawn ON TRUE
  LEFT JOIN LATERAL (
    SELECT count(*) AS items,
           count(*) FILTER (WHERE accepted) AS proven,
           count(*) FILTER (WHERE submitted AND NOT accepted AND NOT failed) AS waiting,
           count(*) FILTER (WHERE failed) AS deviations,
           count(*) FILTER (WHERE NOT accepted AND NOT failed) AS still_open,
           array_agg(e.position ORDER BY e.position)
             FILTER (WHERE failed) AS deviating,
           array_agg(e.position ORDER BY e.position)
             FILTER (WHERE NOT accepted AND NOT failed) AS lacking
      FROM (SELECT i.item_id,
                   coalesce(bool_or(p.state = 'accepted'), FALSE) AS accepted,
                   coalesce(bool_or(p.state = 'submitted'), FALSE) AS submitted,
                   bool_or(d.sample_item_id IS NOT NULL) AS failed
              FROM (SELECT id FROM evidence_sample
                     WHERE population_id = q.id AND {before}) s
              JOIN evidence_sampleitem i ON i.sample_id = s.id
              LEFT JOIN evidence_evidencelink l ON l.sample_item_id = i.id
              LEFT JOIN evidence_proof p ON p.link_id = l.id
               AND p.starts <= %(day)s AND {holding} AND {proof_standing}
              LEFT JOIN (SELECT sample_item_id FROM evidence_deviation
                          WHERE {before}) d ON d.sample_item_id = i.id
             GROUP BY i.item_id) each_event
      JOIN evidence_populationitem e ON e.id = each_event.item_id) shown ON TRUE
 WHERE r.implementation_id = ANY(%(implementations)s)
   AND q.starts <= %(until)s AND q.ends >= %(begins)s
   AND (coalesce(said.decision, 'submitted') <> 'withdrawn' OR shown.deviations > 0)
 ORDER BY q.requirement_id, q.ends, q.id
"""

SUPPLEMENTARY = """
SELECT p.implementation_id, count(*) AS links FROM evidence_proof p
 WHERE p.implementation_id = ANY(%(implementations)s) AND p.requirement_id IS NULL
   AND p.state = 'accepted' AND {standing} AND {holding}
 GROUP BY p.implementation_id
"""

# What each control cites, and whether the system accepted it: in a decision of its own,
# or by relying on a report of the series after it was cited, by another person than who
# cited it. Rejected ones are cited no more.
COVERAGE = """
  WITH here AS (SELECT DISTINCT system_id FROM controls_controlimplementation
                 WHERE id = ANY(%(implementations)s))
SELECT c.system_id, c.control_id,
       array_agg(c.artifact_id ORDER BY c.artifact_id) AS artifacts,
       array_agg(c.counts_at_once OR coalesce(d.decision = 'accept' OR CASE
                   WHEN taken_back.control_id IS NULL
                   THEN reading.newest > c.known_from
                   ELSE EXISTS (
                     SELECT FROM (SELECT * FROM evidence_reliancereview
                                   WHERE {before}) w
                       JOIN evidence_artifactversion v ON v.id = w.artifact_version_id
                      WHERE w.system_id = c.system_id
                        AND v.artifact_id = c.artifact_id
                        AND w.conclusion <> 'do-not-rely'
                        AND w.known_from > c.known_from
                        AND w.reviewer_id <> c.cited_by_id
                        AND NOT EXISTS (
                          SELECT FROM evidence_citation_history h
                           WHERE h.system_id = c.system_id
                             AND h.artifact_id = c.artifact_id
                             AND h.control_id = c.control_id AND h.id < c.id
                             AND h.cited_by_id = w.reviewer_id)) END, FALSE)
                 ORDER BY c.artifact_id) AS accepted
  FROM {citation} c
  JOIN {implementation} i
    ON i.control_id = c.control_id AND i.system_id = c.system_id
  LEFT JOIN (SELECT citation_id, decision FROM evidence_letteracceptance
              WHERE citation_id IS NOT NULL AND {before}) d ON d.citation_id = c.id
  LEFT JOIN (
    SELECT w.system_id, v.artifact_id, p.cited_by_id, max(w.known_from) AS newest
      FROM (SELECT * FROM evidence_reliancereview WHERE {before}) w
      JOIN evidence_artifactversion v ON v.id = w.artifact_version_id
      JOIN (SELECT DISTINCT system_id, artifact_id, cited_by_id FROM {citation} p
             WHERE p.system_id IN (SELECT system_id FROM here)) p
        ON p.system_id = w.system_id AND p.artifact_id = v.artifact_id
       AND p.cited_by_id <> w.reviewer_id
     WHERE w.conclusion <> 'do-not-rely'
     GROUP BY w.system_id, v.artifact_id, p.cited_by_id) reading
    ON reading.system_id = c.system_id AND reading.artifact_id = c.artifact_id
   AND reading.cited_by_id = c.cited_by_id
  -- who cited the same before and took it back decides no more than who cites it now
  LEFT JOIN (SELECT system_id, artifact_id, control_id, min(id) AS first
               FROM evidence_citation_history
              WHERE system_id IN (SELECT system_id FROM here)
              GROUP BY system_id, artifact_id, control_id) taken_back
    ON taken_back.system_id = c.system_id AND taken_back.artifact_id = c.artifact_id
   AND taken_back.control_id = c.control_id AND taken_back.first < c.id
 WHERE i.id = ANY(%(implementations)s) AND d.decision IS DISTINCT FROM 'reject'
 GROUP BY c.system_id, c.control_id
"""

# A letter is decided on by a second person of the system: in an acceptance of its own,
# or by relying on its report after it was registered. One row for each system.
ARTIFACT_VERSIONS = """
SELECT y.system_id, v.id, v.uuid, v.label, v.reference, v.starts, v.until, v.opinion,
       v.impact_level, v.partition, v.regions, v.service_slugs, v.state, v.ended_on,
       v.artifact_id, a.uuid AS artifact, a.title, a.series, a.kind, a.scheme, a.type1,
       a.responsibility_summary, a.provider_slug, v.sites, r.conclusion,
       (SELECT json_agg(json_build_array(l.issued_on, l.starts, l.until, CASE
                 WHEN decided.decision = 'accept' THEN 'accepted'
                 WHEN decided.decision = 'reject' THEN 'rejected'
                 WHEN EXISTS (
                   SELECT FROM evidence_reliancereview w
                    WHERE w.artifact_version_id = v.id AND w.system_id = y.system_id
                      AND w.conclusion <> 'do-not-rely'
                      AND w.known_from > l.known_from AND {before}
                      AND w.reviewer_id IS DISTINCT FROM l.registered_by_id
                      AND NOT EXISTS (
                        SELECT FROM {letter} e
                         WHERE e.artifact_version_id = v.id AND e.id < l.id
                           AND e.issued_on = l.issued_on
                           AND e.registered_by_id = w.reviewer_id))
                 THEN 'accepted' ELSE 'waiting' END) ORDER BY l.issued_on, l.id)
          FROM {letter} l
          LEFT JOIN LATERAL (
            SELECT decision FROM evidence_letteracceptance
             WHERE letter_id = l.id AND system_id = y.system_id AND {before}
            ) decided ON TRUE
         WHERE l.artifact_version_id = v.id) AS letters,
       (SELECT json_agg(json_build_array(m.id, m.kind, m.title, m.provider_slug,
                 m.layers, m.control_ids, coalesce(answered.choice, 'waiting'))
                 ORDER BY m.id)
          FROM (SELECT * FROM evidence_reportremark WHERE {before}) m
          LEFT JOIN LATERAL (
            SELECT w.choice
              FROM (SELECT * FROM evidence_remarkdecision WHERE {before}) d
              JOIN evidence_remarkanswer w ON w.id = d.answer_id
             WHERE w.remark_id = m.id AND d.system_id = y.system_id
               AND d.decision = 'accept'
             ORDER BY d.id DESC LIMIT 1) answered ON TRUE
         WHERE m.artifact_version_id = v.id) AS remarks
  FROM {artifact_version} v
  JOIN {artifact} a ON a.id = v.artifact_id
 CROSS JOIN unnest(%(systems)s::bigint[]) AS y(system_id)
  LEFT JOIN LATERAL (
    SELECT conclusion FROM evidence_reliancereview r
     WHERE r.artifact_version_id = v.id AND r.system_id = y.system_id AND {before}
     ORDER BY r.known_from DESC, r.id DESC LIMIT 1) r ON TRUE
 ORDER BY v.starts, v.id
"""
