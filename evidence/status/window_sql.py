"""The statements that gather what a window is judged by: asks, answers, statuses.

Relations in braces are filled in by `gather_sql.render`; the days on which a class or
an exclusion holds come from statements of their own.
"""

from __future__ import annotations

# Each row of a control that an ask names on days of the window, once for each of its
# terms; NULL is unbounded. Terms that begin after the last day asked about alter no
# answer about it, so those before them go on.
REQUIREMENTS_OF_WINDOW = """
SELECT r.id, r.uuid::text AS uuid, r.implementation_id, r.operates_from,
       r.operates_until, lower(t.days) AS terms_from,
       CASE WHEN upper(t.days) <= %(last)s THEN upper(t.days) END AS terms_until,
       t.title, t.cadence, t.purpose, t.grace_days, t.lead_days,
       {binding_user_control} AS user_control_id,
       coalesce(t.population_cadence, 'quarterly') AS population_cadence
  FROM {requirement} r
  JOIN {terms} t ON t.ask_id = r.ask_id
 WHERE r.implementation_id = ANY(%(implementations)s)
   AND r.operates_from <= %(end)s
   AND (r.operates_until IS NULL OR r.operates_until > %(start)s)
   AND (lower_inf(t.days) OR lower(t.days) <= %(last)s)
 ORDER BY r.implementation_id, r.id, terms_from NULLS FIRST
"""

# Of two kinds of periods, in two halves: so each is found by an index.
_ANSWERS = """
SELECT part.requirement_id, part.number AS part, p.starts, p.ends, p.occurrence,
       p.occurrence_ends, l.uuid::text AS link, e.uuid::text AS evidence,
       e.title AS evidence_title, rev.collected_on,
       (rev.uploaded_at AT TIME ZONE y.time_zone)::date AS uploaded_on,
       coalesce(w.day_confirmed, FALSE) AS day_confirmed
  FROM unnest(%(asked)s::bigint[], %(occurrences)s::date[], %(begins)s::date[],
              %(ends)s::date[], %(newest)s::boolean[]) WITH ORDINALITY
       AS part(requirement_id, occurrence, begins, ends, newest, number)
 CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT p.link_id, p.starts, p.ends, p.occurrence, p.occurrence_ends
        FROM evidence_proof p
       WHERE p.requirement_id = part.requirement_id AND p.half = 'customer'
         AND p.state = 'accepted' AND {standing} AND {holding}
         AND p.occurrence = part.occurrence
         AND coalesce(p.occurrence_ends, part.ends) = part.ends
       UNION ALL
      SELECT p.link_id, p.starts, p.ends, p.occurrence, p.occurrence_ends
        FROM evidence_proof p
       WHERE p.requirement_id = part.requirement_id AND p.half = 'customer'
         AND p.state = 'accepted' AND {standing} AND {holding}
         AND part.occurrence IS NULL AND p.starts BETWEEN part.begins AND part.ends
      ) p
"""
# Whether its day was confirmed matters only of what was brought after its period.
_OF_LINKS = """) p
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN controls_system y ON y.id = l.system_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT day_confirmed FROM evidence_review r
     WHERE r.link_id = p.link_id AND r.decision = 'accept' AND {before}
       AND (p.occurrence IS NULL
            OR (rev.uploaded_at >= p.occurrence_ends - 1) IS NOT FALSE)
     ORDER BY r.id DESC LIMIT 1) w ON TRUE
"""
# The earliest accepted performance of each period asked for, or the newest of it; the
# periods come as five arrays, `occurrence` NULL where any day of the range will do
# (yearly, once).
LINKS_OF_WINDOW = (
    _ANSWERS
    + """     ORDER BY CASE WHEN part.newest THEN date '9999-12-31' - p.starts
                   ELSE p.starts - date '0001-01-01' END, p.link_id LIMIT 1"""
    + _OF_LINKS
)
# All accepted performances of the same periods.
ALL_LINKS_OF_WINDOW = _ANSWERS + _OF_LINKS

# Accepted links of requirements that began by the day, with their ends for that day.
ACCEPTED_LINKS = (
    # S608: constants of this file
    """
SELECT p.requirement_id, p.starts, p.ends, p.occurrence,
       p.occurrence_ends, l.uuid::text AS link, e.uuid::text AS evidence,
       e.title AS evidence_title, rev.collected_on,
       (rev.uploaded_at AT TIME ZONE y.time_zone)::date AS uploaded_on,
       coalesce(w.day_confirmed, FALSE) AS day_confirmed
  FROM (SELECT * FROM evidence_proof p
         WHERE p.requirement_id = ANY(%(requirements)s) AND p.half = 'customer'
           AND p.state = 'accepted' AND p.starts <= %(day)s AND {standing} AND {holding}
"""  # noqa: S608
    + _OF_LINKS
)

STATUSES_OF_WINDOW = """
SELECT st.implementation_id, lower(st.days) AS starts, upper(st.days) AS until,
       st.status, st.part_statuses
  FROM {statement} st
 WHERE st.implementation_id = ANY(%(implementations)s)
   AND st.days && daterange(%(start)s, %(end)s, '[]')
 ORDER BY st.implementation_id, starts NULLS FIRST
"""

# Days of the window that Type II engagements of systems are about, both included.
TYPE_TWO_DAYS = """
SELECT system_id, window_start, window_end FROM {engagement}
 WHERE system_id = ANY(%(systems)s) AND kind = 'type2'
   AND window_start <= %(end)s AND window_end >= %(start)s
 ORDER BY window_start, window_end
"""

# Approved changes in retrospect that may alter days of the window, oldest first. What
# was known just before one is known before its `known_from`: it is settled first.
CHANGES_OF_WINDOW = """
SELECT c.system_id, c.uuid::text AS uuid, c.requested_on, c.first_day, c.known_from,
       (c.decided_at AT TIME ZONE y.time_zone)::date AS approved_on
  FROM {change} c JOIN controls_system y ON y.id = c.system_id
 WHERE c.system_id = ANY(%(systems)s) AND c.state = 'approved'
   AND c.first_day <= %(end)s AND c.requested_on > %(start)s
 ORDER BY c.known_from, c.id
"""
