"""The statements about days of a window on which a class, or an exclusion, holds.

Rows are ranges `[)` of days that do not overlap for one control; NULL is unbounded.
Relations in braces are filled in by `gather_sql.render`.
"""

from __future__ import annotations

# The days on which decision `d` is in force: of two decisions for one day the one
# recorded last counts, one that is replaced counts for nothing (R7).
_IN_FORCE = """datemultirange(d.effective) - coalesce((
    SELECT range_agg(n.effective) FROM controls_responsibilitydecision n
     WHERE n.implementation_id = d.implementation_id AND {before}
       AND (n.known_from, n.id) > (d.known_from, d.id)), '{{}}')"""

# The class in force on each day of the window; `change_id` where it was decided in
# retrospect.
DECISIONS_OF_WINDOW = (
    """
SELECT d.implementation_id, lower(part.days) AS starts, upper(part.days) AS until,
       d.responsibility, d.basis_id, d.change_id,
       coalesce((SELECT o.needed_from FROM controls_responsibilityoverride o
                  WHERE o.id = d.override_id), '') AS needed_from
  FROM controls_responsibilitydecision d
 CROSS JOIN LATERAL unnest("""  # noqa: S608 - constants of this file
    + _IN_FORCE
    + """) AS part(days)
 WHERE d.implementation_id = ANY(%(implementations)s) AND {before}
   AND part.days && daterange(%(start)s, %(end)s, '[]')
 ORDER BY d.implementation_id, starts NULLS FIRST
"""
)

# The days of the window on which a control is left out; `change_id` where that was
# decided in retrospect. An exclusion that names no layers is void wherever its basis is
# not in force; of those without a first day only the newest counts.
EXCLUSIONS_OF_WINDOW = (
    """
SELECT a.implementation_id, lower(part.days) AS starts, upper(part.days) AS until,
       a.review_by, a.change_id
  FROM (SELECT a.*, a.id = max(a.id) OVER (PARTITION BY a.implementation_id) AS newest
          FROM {applicability} a
         WHERE a.implementation_id = ANY(%(implementations)s)) a
 CROSS JOIN LATERAL (SELECT datemultirange(daterange(
    a.starts_on, least(a.ended_on, a.voided_from, a.review_by + 1))) AS days) said
  LEFT JOIN LATERAL (
    SELECT range_agg(standing.days) AS days
      FROM (SELECT unnest("""  # noqa: S608 - constants of this file
    + _IN_FORCE
    + """) AS days
              FROM controls_responsibilitydecision d
             WHERE d.implementation_id = a.implementation_id
               AND d.basis_id = a.basis_id AND {before}) standing
    ) basis ON a.absent_layers IS NULL
 CROSS JOIN LATERAL unnest(
    CASE WHEN a.absent_layers IS NULL THEN said.days * coalesce(basis.days, '{{}}')
         ELSE said.days END) AS part(days)
 WHERE (a.starts_on IS NOT NULL OR a.newest)
   AND (a.state = 'approved' OR (a.state = 'ended' AND a.ended_on IS NOT NULL))
   AND part.days && daterange(%(start)s, %(end)s, '[]')
 ORDER BY a.implementation_id, starts NULLS FIRST
"""
)
