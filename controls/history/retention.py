"""Triggers that keep bytes until their end and under a legal hold (AU-07).

`srm_retention()` says of each piece of evidence until when it is kept, and whether a
hold stands over it, `srm_list_retention()` the same of lists of events; purge and pages
ask the same functions. Source: AU-07 and R32.
"""

from __future__ import annotations

REFUSAL = "bytes are kept until their end, and under a legal hold (AU-07)"

# Kept for the years of its system's class after the last of: the day of its upload,
# the last day that it speaks of, its last review, the last day of what it proves, the
# end of each audit's window that holds one of its days. While an audit of its days runs
# there is no end. 7: DEFAULT_RETENTION_YEARS of `evidence.models.retention`.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION srm_retention() RETURNS TABLE (
  evidence_id bigint, system_id bigint, years integer, kept_until date, held boolean)
LANGUAGE sql STABLE AS $$
  SELECT e.id, e.system_id, class.years,
    CASE WHEN EXISTS (
      SELECT FROM controls_engagement g JOIN evidence_evidencerevision r
          ON r.period_from <= g.window_end AND r.period_until > g.window_start
       WHERE g.system_id = e.system_id AND g.ended_at IS NULL AND r.evidence_id = e.id)
    THEN '9999-12-31'::date
    ELSE least('9999-12-31', last.day + make_interval(years => class.years))::date END,
    EXISTS (
      SELECT FROM evidence_legalhold h
       WHERE h.system_id = e.system_id AND h.lifted_by_id IS NULL
         AND (h.evidence_id IS NULL OR h.evidence_id = e.id))
  FROM evidence_evidence e
  JOIN controls_system s ON s.id = e.system_id
  CROSS JOIN LATERAL (SELECT coalesce((
      SELECT c.years FROM evidence_retentionclass c
       WHERE c.system_id = e.system_id ORDER BY c.id DESC LIMIT 1), 7) AS years
  ) AS class
  CROSS JOIN LATERAL (SELECT greatest(
      (SELECT max(greatest(
          (r.uploaded_at AT TIME ZONE s.time_zone)::date, r.period_until - 1,
          CASE WHEN r.period_from <= s.window_end AND r.period_until > s.window_start
               THEN s.window_end END))
         FROM evidence_evidencerevision r WHERE r.evidence_id = e.id),
      (SELECT max(g.window_end)
         FROM controls_engagement g JOIN evidence_evidencerevision r
           ON r.period_from <= g.window_end AND r.period_until > g.window_start
        WHERE g.system_id = e.system_id AND r.evidence_id = e.id),
      (SELECT max((w.known_from AT TIME ZONE s.time_zone)::date)
         FROM evidence_evidencerevision r JOIN evidence_evidencelink l
           ON l.revision_id = r.id JOIN evidence_review w ON w.link_id = l.id
        WHERE r.evidence_id = e.id),
      (SELECT max(p.ends)
         FROM evidence_evidencerevision r JOIN evidence_evidencelink l
           ON l.revision_id = r.id JOIN evidence_proof p ON p.link_id = l.id
        WHERE r.evidence_id = e.id AND p.state = 'accepted' AND p.known_until IS NULL)
    ) AS day) AS last
$$;
-- The same of a list of events: the last of the day on which it was drawn, its last
-- day, its last review, the last sample drawn from it, the end of each audit's window
-- that holds one of its days. Holds over all evidence of the system stand over it too.
CREATE OR REPLACE FUNCTION srm_list_retention() RETURNS TABLE (
  population_id bigint, system_id bigint, years integer, kept_until date, held boolean)
LANGUAGE sql STABLE AS $$
  SELECT p.id, p.system_id, class.years,
    CASE WHEN EXISTS (
      SELECT FROM controls_engagement g
       WHERE g.system_id = p.system_id AND g.ended_at IS NULL
         AND p.starts <= g.window_end AND p.ends >= g.window_start)
    THEN '9999-12-31'::date
    ELSE least('9999-12-31', last.day + make_interval(years => class.years))::date END,
    EXISTS (
      SELECT FROM evidence_legalhold h
       WHERE h.system_id = p.system_id AND h.lifted_by_id IS NULL
         AND h.evidence_id IS NULL)
  FROM evidence_population p
  JOIN controls_system s ON s.id = p.system_id
  CROSS JOIN LATERAL (SELECT coalesce((
      SELECT c.years FROM evidence_retentionclass c
       WHERE c.system_id = p.system_id ORDER BY c.id DESC LIMIT 1), 7) AS years
  ) AS class
  CROSS JOIN LATERAL (SELECT greatest(
      (p.known_from AT TIME ZONE s.time_zone)::date, p.ends,
      CASE WHEN p.starts <= s.window_end AND p.ends >= s.window_start
           THEN s.window_end END,
      (SELECT max(g.window_end) FROM controls_engagement g
        WHERE g.system_id = p.system_id
          AND p.starts <= g.window_end AND p.ends >= g.window_start),
      (SELECT max((w.known_from AT TIME ZONE s.time_zone)::date)
         FROM evidence_populationreview w WHERE w.population_id = p.id),
      (SELECT max((d.known_from AT TIME ZONE s.time_zone)::date)
         FROM evidence_sample d WHERE d.population_id = p.id)
    ) AS day) AS last
$$;
"""

_REMOVED_BY_TWO = """EXISTS (
  SELECT FROM evidence_spillremoval x
    LEFT JOIN evidence_evidencefile xf ON xf.id = x.file_id
    LEFT JOIN evidence_population xp ON xp.id = x.population_id
   WHERE x.system_id = {system} AND x.state = 'approved'
     AND NEW.id IN (xf.blob_id, xp.blob_id))"""

# What each trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    # A spill goes before its end once two officers of each system said so; nothing
    # goes under a hold, and no file that was kept when a window closed.
    "srm_bytes_until_their_end": (
        "evidence_blob",
        "UPDATE OF purged_at",
        "SELECT FROM evidence_evidencefile f"
        " JOIN evidence_evidencerevision r ON r.id = f.revision_id"
        " JOIN srm_retention() k ON k.evidence_id = r.evidence_id"
        " JOIN controls_system s ON s.id = k.system_id"
        " WHERE f.blob_id = NEW.id AND OLD.purged_at IS NULL"
        " AND NEW.purged_at IS NOT NULL AND (k.held OR"
        " k.kept_until >= (srm_now() AT TIME ZONE s.time_zone)::date"
        f" AND NOT {_REMOVED_BY_TWO.format(system='k.system_id')})"
        " UNION ALL SELECT FROM evidence_population p"
        " JOIN srm_list_retention() k ON k.population_id = p.id"
        " JOIN controls_system s ON s.id = p.system_id"
        " WHERE p.blob_id = NEW.id AND OLD.purged_at IS NULL"
        " AND NEW.purged_at IS NOT NULL AND (k.held OR"
        " k.kept_until >= (srm_now() AT TIME ZONE s.time_zone)::date"
        f" AND NOT {_REMOVED_BY_TWO.format(system='p.system_id')})"
        " UNION ALL SELECT FROM evidence_export x"
        " WHERE x.blob_id = NEW.id AND OLD.purged_at IS NULL"
        " AND NEW.purged_at IS NOT NULL",
    ),
    # The file of a provider's report goes once two persons said so.
    "srm_report_bytes_by_two": (
        "evidence_blob",
        "UPDATE OF purged_at",
        "SELECT FROM evidence_reportfile f WHERE f.blob_id = NEW.id"
        " AND OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM evidence_reportfileremoval r"
        " WHERE r.file_id = f.id AND r.state = 'approved')",
    ),
    "srm_bytes_keep_their_digest": (
        "evidence_blob",
        "UPDATE OF sha256, size_bytes",
        "SELECT WHERE NEW.sha256 <> OLD.sha256 OR NEW.size_bytes <> OLD.size_bytes",
    ),
    "srm_retention_by_two": (
        "evidence_retentionclass",
        "INSERT",
        "SELECT WHERE NOT EXISTS (SELECT FROM controls_retrospectivechange c"
        " WHERE c.id = NEW.change_id AND c.system_id = NEW.system_id"
        " AND c.kind = 'retention' AND c.state = 'approved'"
        " AND c.body ->> 'years' = NEW.years::text)",
    ),
    "srm_hold_begins_standing": (
        "evidence_legalhold",
        "INSERT",
        "SELECT WHERE NEW.lifted_by_id IS NOT NULL"
        " UNION ALL SELECT FROM evidence_evidence e"
        " WHERE e.id = NEW.evidence_id AND e.system_id <> NEW.system_id",
    ),
    "srm_hold_is_lifted_once": (
        "evidence_legalhold",
        "UPDATE",
        "SELECT WHERE OLD.lifted_by_id IS NOT NULL"
        " OR NEW.system_id <> OLD.system_id OR NEW.placed_by_id <> OLD.placed_by_id"
        " OR NEW.evidence_id IS DISTINCT FROM OLD.evidence_id"
        " OR NEW.reason <> OLD.reason OR NEW.placed_at <> OLD.placed_at",
    ),
}
