"""Facts with their days, as one relation: classes, statuses, asks, components, terms.

For whoever lists which of them changed; of a fact that was replaced since, what it said
as known then stands here. An ask holds on those days of its terms on which it is in
operation. Who stated an ask's terms, or a component's days, stands in the log alone: it
is the first event about it from the writing of the row on.
"""

from __future__ import annotations

from controls.display_names import IMPLEMENTATION_STATUSES, REGIMES

# Each fact as: what, control, first day, day after the last, text, reason, who, second.
FACTS = """
SELECT 'class' AS what, d.implementation_id, lower(d.effective) AS starts,
       upper(d.effective) AS until, d.responsibility AS code, '' AS text,
       d.reason, d.decided_by_id AS by, d.approved_by_id AS second, d.known_from,
       d.change_id, d.id
  FROM controls_responsibilitydecision d
 WHERE d.known_from < %(known_at)s
UNION ALL
SELECT 'implementation status', s.implementation_id, lower(s.days), upper(s.days),
       s.status, '', '', s.stated_by_id, NULL, s.known_from, s.change_id, s.id
  FROM {statement} s
UNION ALL
SELECT 'not applicable', a.implementation_id, a.starts_on,
       least(a.ended_on, a.voided_from, a.review_by + 1), a.state, '',
       a.justification, a.requested_by_id, a.decided_by_id, a.known_from,
       a.change_id, a.id
  FROM {applicability} a WHERE a.state IN ('approved', 'ended')
UNION ALL
SELECT 'alternative', x.implementation_id, x.starts_on,
       least(x.ended_on, x.review_by + 1), x.state, x.objective, x.constraint,
       x.requested_by_id, x.decided_by_id, x.known_from, NULL, x.id
  FROM {alternative} x WHERE x.state IN ('approved', 'ending', 'ended')
UNION ALL
SELECT 'override', o.implementation_id, o.starts_on, o.ends_on + 1,
       o.responsibility, '', o.reason, o.requested_by_id, o.decided_by_id,
       o.known_from, o.change_id, o.id
  FROM controls_responsibilityoverride_versions o
 WHERE o.known_from < %(known_at)s
   AND (o.known_until IS NULL OR o.known_until >= %(known_at)s)
   AND o.state = 'approved'
UNION ALL
SELECT 'ask', q.implementation_id, greatest(lower(t.days), q.operates_from),
       least(upper(t.days), q.operates_until), t.cadence,
       t.title || ', grace ' || t.grace_days || ' days', '',
       (SELECT a.actor_id FROM controls_auditevent a
         WHERE a.subject_uuid = q.uuid AND a.at >= t.known_from AND a.at < %(known_at)s
           AND a.verb IN ('requirement.added', 'requirement.changed',
                          'requirement.joined', 'requirement.split')
           AND a.body::jsonb ->> 'from_day' IS NOT DISTINCT FROM lower(t.days)::text
         ORDER BY a.seq LIMIT 1), NULL,
       CASE WHEN q.operates_until < coalesce(upper(t.days), 'infinity')
            THEN q.known_from ELSE t.known_from END, t.change_id, t.id
  FROM {terms} t JOIN {requirement} q ON q.ask_id = t.ask_id
 WHERE t.days && daterange(q.operates_from, q.operates_until)
UNION ALL
SELECT 'component', NULL, c.used_from, c.used_until, v.slug,
       concat_ws(' ', sv.name, nullif(c.name, ''),
                 nullif(array_to_string(c.regions, ', '), '')),
       '', (SELECT a.actor_id FROM controls_auditevent a
             WHERE a.subject_uuid = c.uuid AND a.at >= c.known_from
               AND a.at < %(known_at)s
             ORDER BY a.seq LIMIT 1), NULL, c.known_from, c.change_id, c.id
  FROM {component} c
  JOIN controls_servicevariant v ON v.id = c.variant_id
  JOIN controls_service sv ON sv.id = v.service_id
 WHERE c.system_id = %(system)s
UNION ALL
SELECT 'terms of the system', NULL, lower(t.days), upper(t.days), t.regime,
       t.impact_level || ' impact, currency ' || t.currency_days || ' days', '',
       t.stated_by_id, NULL, t.known_from, t.change_id, t.id
  FROM {system_terms} t WHERE t.system_id = %(system)s
"""
# Names of people as they were known then.
PEOPLE = """(
SELECT id, coalesce(nullif(name, ''), email) AS name FROM controls_user_versions
 WHERE known_from < %(known_at)s
   AND (known_until IS NULL OR known_until >= %(known_at)s))"""


def says(what: str, code: str, text: str) -> str:
    """What a fact of FACTS says, in words."""
    if what == "ask":
        return f"{text}, {code}"
    if what == "implementation status":
        return IMPLEMENTATION_STATUSES.get(code, code)
    if what == "terms of the system":
        return f"{REGIMES.get(code, code)}, {text}"
    if what == "component":
        return text
    in_words = (code or "").replace("_", " ")
    return f"{in_words}: {text}" if text else in_words
