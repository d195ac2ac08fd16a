"""What became otherwise about a window after it was closed.

Facts are compared as they were known when the window closed and as they are known at
the moment, on the days of the window; beside them stand the judgements about these days
that were recorded meanwhile. What is about later days changes nothing of the window.

One file: most of it is one statement, whose kinds of judgement are read together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.engagement_scope import scopes_of
from controls.models import ControlImplementation
from evidence.status.changed_facts import FACTS, PEOPLE, says
from evidence.status.rows import Moment, Row, as_bigints, grouped, read_rows

# Closed by the moment, whose window shares days with the one asked about.
CLOSINGS = """
SELECT c.id, c.engagement_id, c.closed_at, g.title, g.firm, g.window_start,
       g.window_end, asked.name AS asked_by, closed.name AS closed_by
  FROM {closing} c JOIN {engagement} g ON g.id = c.engagement_id
  LEFT JOIN {people} asked ON asked.id = c.requested_by_id
  LEFT JOIN {people} closed ON closed.id = c.decided_by_id
 WHERE c.system_id = %(system)s AND c.state = 'closed'
   AND g.window_start <= %(last)s AND g.window_end >= %(since)s
 ORDER BY c.closed_at, c.id
"""
# The files that were kept at some closings, as far as they were made by the moment.
KEPT = """
SELECT x.closing_id, x.kind, x.sha256 FROM evidence_export x
 WHERE x.closing_id = ANY(%(closings)s::bigint[]) AND x.state = 'done'
   AND x.finished_at < %(known_at)s
 ORDER BY x.closing_id, x.id
"""
# Facts of the window's days, cut to them.
IN_WINDOW = """
SELECT f.what, f.implementation_id, f.code, f.text, f.known_from, f.reason,
       greatest(coalesce(f.starts, %(since)s), %(since)s) AS starts,
       least(coalesce(f.until, %(last)s + 1), %(last)s + 1) AS until,
       coalesce(asked.name, who.name) AS by,
       CASE WHEN asked.id IS NULL THEN second.name ELSE decided.name END AS second
  FROM ({facts}) f
  LEFT JOIN {implementation} i ON i.id = f.implementation_id
  LEFT JOIN {people} who ON who.id = f.by
  LEFT JOIN {people} second ON second.id = f.second
  LEFT JOIN {change} ch ON ch.id = f.change_id
  LEFT JOIN {people} asked ON asked.id = ch.requested_by_id
  LEFT JOIN {people} decided ON decided.id = ch.decided_by_id
 WHERE (f.implementation_id IS NULL AND f.what IN ('component', 'terms of the system')
        OR i.system_id = %(system)s)
   AND coalesce(f.starts, %(since)s) <= %(last)s
   AND coalesce(f.until, %(last)s + 1) > %(since)s
 ORDER BY f.known_from, f.what, f.id
"""
JUDGEMENTS = """
SELECT 'evidence ' || l.state AS what, l.implementation_id, e.title AS text,
       rev.performed_on AS starts, rev.performed_on + 1 AS until,
       coalesce(r.reviewer_name, who.name) AS by, '' AS second,
       coalesce(r.known_from, l.known_from) AS known_from, l.id
  FROM {link} l
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN {people} who ON who.id = l.submitted_by_id
  LEFT JOIN LATERAL (
    SELECT r.reviewer_name, r.known_from FROM evidence_review r
     WHERE r.link_id = l.id AND l.state IN ('accepted', 'rejected') AND {before}
     ORDER BY r.id DESC LIMIT 1) r ON TRUE
 WHERE l.system_id = %(system)s AND l.state <> 'draft'
   AND l.known_from >= %(closed_at)s
   AND rev.period_from <= %(last)s AND rev.period_until > %(since)s
   AND NOT EXISTS (
     SELECT FROM evidence_evidencelink_versions b
      WHERE b.id = l.id AND b.state = l.state AND b.known_from < %(closed_at)s
        AND (b.known_until IS NULL OR b.known_until >= %(closed_at)s))
UNION ALL
SELECT 'population ' || r.decision, q.implementation_id, q.title, o.starts, o.ends + 1,
       r.reviewer_name, '', r.known_from, r.id
  FROM evidence_populationreview r
  JOIN evidence_population o ON o.id = r.population_id
  JOIN {requirement} q ON q.id = o.requirement_id
 WHERE o.system_id = %(system)s AND {later}
   AND o.starts <= %(last)s AND o.ends >= %(since)s
UNION ALL
SELECT 'deviation recorded', q.implementation_id, item.key || ': ' || d.note,
       item.happened_on, item.happened_on + 1, who.name, '', d.known_from, d.id
  FROM evidence_deviation d
  JOIN evidence_sampleitem si ON si.id = d.sample_item_id
  JOIN evidence_populationitem item ON item.id = si.item_id
  JOIN evidence_population o ON o.id = item.population_id
  JOIN {requirement} q ON q.id = o.requirement_id
  LEFT JOIN {people} who ON who.id = d.recorded_by_id
 WHERE d.system_id = %(system)s AND {d_later}
   AND o.starts <= %(last)s AND o.ends >= %(since)s
UNION ALL
SELECT 'failing observation', v.implementation_id, v.text, v.observed_on,
       v.observed_on + 1, v.recorder_name, '', v.known_from, v.id
  FROM evidence_failingobservation v
 WHERE v.system_id = %(system)s AND {v_later} AND v.observed_on <= %(last)s
UNION ALL
SELECT 'finding', n.implementation_id, n.title, n.found_on, NULL, n.recorder_name, '',
       n.known_from, n.id
  FROM evidence_finding n
 WHERE n.system_id = %(system)s AND {n_later} AND n.found_on <= %(last)s
UNION ALL
SELECT a.kind || ' ' || k.decision || 'ed',
       coalesce(n.implementation_id, v.implementation_id),
       coalesce(n.title, v.text), coalesce(n.found_on, v.observed_on), NULL,
       a.requester_name, k.reviewer_name, k.known_from, k.id
  FROM evidence_dispositiondecision k
  JOIN evidence_disposition a ON a.id = k.disposition_id
  LEFT JOIN evidence_finding n ON n.id = a.finding_id
  LEFT JOIN evidence_failingobservation v ON v.id = a.observation_id
 WHERE k.system_id = %(system)s AND {k_later}
   AND coalesce(n.found_on, v.observed_on) <= %(last)s
UNION ALL
SELECT 'response accepted', s.implementation_id, s.title, s.starts, s.ends + 1,
       s.responder_name, k.reviewer_name, k.known_from, k.id
  FROM evidence_responsedecision k
  JOIN evidence_itemresponse s ON s.id = k.response_id
 WHERE k.system_id = %(system)s AND {k_later} AND k.decision = 'accept'
   AND s.starts <= %(last)s AND s.ends >= %(since)s
UNION ALL
SELECT 'report: ' || replace(y.conclusion, '_', ' '), NULL, a.title || ' ' || w.label,
       w.starts, w.until, y.reviewer_name, '', y.known_from, y.id
  FROM evidence_reliancereview y
  JOIN {artifact_version} w ON w.id = y.artifact_version_id
  JOIN {artifact} a ON a.id = w.artifact_id
 WHERE y.system_id = %(system)s AND {y_later}
   AND w.starts <= %(last)s AND coalesce(w.until, %(last)s + 1) > %(since)s
UNION ALL
SELECT 'letter ' || y.decision || 'ed', NULL, a.title || ' ' || w.label, w.starts,
       w.until, y.reviewer_name, '', y.known_from, y.id
  FROM evidence_letteracceptance y
  JOIN {letter} t ON t.id = y.letter_id
  JOIN {artifact_version} w ON w.id = t.artifact_version_id
  JOIN {artifact} a ON a.id = w.artifact_id
 WHERE y.system_id = %(system)s AND {y_later} AND w.starts <= %(last)s
UNION ALL
SELECT 'report ' || w.state, NULL, a.title || ' ' || w.label,
       CASE WHEN w.state = 'revoked' THEN greatest(w.ended_on, w.starts)
            ELSE w.starts END, w.until, '', '', w.known_from, w.id
  FROM {artifact_version} w JOIN {artifact} a ON a.id = w.artifact_id
 WHERE w.state IN ('revoked', 'withdrawn') AND w.known_from >= %(closed_at)s
   AND w.starts <= %(last)s AND coalesce(w.until, %(last)s + 1) > %(since)s
   AND (w.state = 'withdrawn' OR w.ended_on <= %(last)s)
   AND EXISTS (SELECT FROM evidence_citation_versions c
                WHERE c.system_id = %(system)s AND c.artifact_id = w.artifact_id
                  AND c.known_from < %(closed_at)s)
   AND NOT EXISTS (
     SELECT FROM evidence_artifactversion_versions b
      WHERE b.id = w.id AND b.state = w.state AND b.known_from < %(closed_at)s
        AND (b.known_until IS NULL OR b.known_until >= %(closed_at)s))
UNION ALL
SELECT 'report cited', i.id, a.title, %(since)s::date, %(last)s::date + 1,
       who.name, '', c.known_from, c.id
  FROM {citation} c JOIN {artifact} a ON a.id = c.artifact_id
  JOIN {implementation} i
    ON i.control_id = c.control_id AND i.system_id = c.system_id
  LEFT JOIN {people} who ON who.id = c.cited_by_id
 WHERE c.system_id = %(system)s AND c.known_from >= %(closed_at)s
UNION ALL
SELECT 'report no longer cited', i.id, a.title, %(since)s::date, %(last)s::date + 1,
       '', '', c.known_until, c.id
  FROM evidence_citation_versions c JOIN {artifact} a ON a.id = c.artifact_id
  JOIN {implementation} i
    ON i.control_id = c.control_id AND i.system_id = c.system_id
 WHERE c.system_id = %(system)s AND c.known_from < %(closed_at)s
   AND c.known_until >= %(closed_at)s
   AND NOT EXISTS (SELECT FROM {citation} n WHERE n.id = c.id)
UNION ALL
SELECT 'answer to a report ' || y.decision || 'ed', NULL,
       a.title || ' ' || w.label || ': ' || r.title, w.starts, w.until,
       t.answerer_name, y.reviewer_name, y.known_from, y.id
  FROM evidence_remarkdecision y
  JOIN evidence_remarkanswer t ON t.id = y.answer_id
  JOIN evidence_reportremark r ON r.id = t.remark_id
  JOIN {artifact_version} w ON w.id = r.artifact_version_id
  JOIN {artifact} a ON a.id = w.artifact_id
 WHERE y.system_id = %(system)s AND {y_later}
   AND w.starts <= %(last)s AND coalesce(w.until, %(last)s + 1) > %(since)s
UNION ALL
SELECT 'files removed', l.implementation_id, e.title, rev.performed_on,
       rev.performed_on + 1, who.name, second.name, m.known_from, m.id
  FROM {removal} m
  JOIN evidence_evidencefile f ON f.id = m.file_id
  JOIN evidence_evidencerevision rev ON rev.id = f.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  JOIN evidence_evidencelink l ON l.revision_id = rev.id
  LEFT JOIN {people} who ON who.id = m.requested_by_id
  LEFT JOIN {people} second ON second.id = m.decided_by_id
 WHERE m.system_id = %(system)s AND m.state = 'approved' AND {m_later}
   AND l.system_id = m.system_id
   AND rev.period_from <= %(last)s AND rev.period_until > %(since)s
 ORDER BY known_from, what, id
"""
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class ClosedWindow:
    """An engagement's window that was closed by the moment; its days are inclusive.

    `kept` are kind and sha256 of each export that was kept.
    """

    key: int
    engagement: int
    title: str
    firm: str
    window: tuple[dt.date, dt.date]
    closed_at: dt.datetime
    asked_by: str
    closed_by: str
    kept: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LaterChange:
    """One thing that is otherwise since a window was closed, on inclusive days of it.

    `implementation` is None for what is of the whole system; `recorded` is None for a
    fact that is no longer so.
    """

    closed: ClosedWindow
    implementation: int | None
    what: str
    text: str
    starts: dt.date | None
    ends: dt.date | None
    by: str
    second: str
    recorded: dt.datetime | None

    @property
    def sentence(self) -> str:
        """`evidence accepted: Patch report`."""
        return f"{self.what}: {self.text}" if self.text else self.what


def closed_windows(
    system: int, moment: Moment, window: tuple[dt.date, dt.date]
) -> list[ClosedWindow]:
    """Windows of the system's engagements that share days with `window` and were closed
    by the moment, which names its instant; the oldest closing first. Two statements."""
    since, last = window
    statement = CLOSINGS.replace("{people}", PEOPLE)
    rows = read_rows(statement, moment, system=system, since=since, last=last)
    if not rows:
        return []
    keys = as_bigints(row["id"] for row in rows)
    kept = grouped(read_rows(KEPT, moment, closings=keys), "closing_id")
    return [
        ClosedWindow(
            row["id"],
            row["engagement_id"],
            row["title"],
            row["firm"],
            (row["window_start"], row["window_end"]),
            row["closed_at"],
            row["asked_by"] or "",
            row["closed_by"] or "",
            tuple((file["kind"], file["sha256"]) for file in kept[row["id"]]),
        )
        for row in rows
    ]


def later_changes(
    system: int, moment: Moment, closed: Sequence[ClosedWindow]
) -> list[LaterChange]:
    """What became otherwise since each of these windows was closed, as known at the
    moment, of what the engagement is about. Three statements for each, and two where
    controls were chosen."""
    if not closed:
        return []
    scopes = scopes_of([window.engagement for window in closed], moment.known_at)
    ids = _ids_of(system) if any(scope.chosen for scope in scopes.values()) else {}
    return [
        change
        for window in closed
        for change in (
            *_facts(system, moment, window),
            *_judgements(system, moment, window),
        )
        if change.implementation is None
        or not scopes[window.engagement].chosen
        or ids.get(change.implementation) in scopes[window.engagement]
    ]


def _ids_of(system: int) -> dict[int, str]:
    """The ids of a system's controls by the keys of their rows."""
    rows = ControlImplementation.objects.filter(system=system)
    return dict(rows.values_list("pk", "control__ref_id"))


def _facts(system: int, moment: Moment, closed: ClosedWindow) -> list[LaterChange]:
    statement = IN_WINDOW.replace("{facts}", FACTS).replace("{people}", PEOPLE)
    since, last = closed.window
    named = {"system": system, "since": since, "last": last}
    then = read_rows(statement, Moment(moment.on, closed.closed_at), **named)
    now = read_rows(statement, moment, **named)
    before, after = {_fact(row) for row in then}, {_fact(row) for row in now}
    became = [_change(closed, row) for row in now if _fact(row) not in before]
    gone = [
        _change(closed, row, no_longer=True) for row in then if _fact(row) not in after
    ]
    return [*dict.fromkeys(became), *dict.fromkeys(gone)]


def _fact(row: Row) -> tuple[object, ...]:
    names = ("what", "implementation_id", "code", "text", "starts", "until")
    return tuple(row[name] for name in names)


def _change(closed: ClosedWindow, row: Row, *, no_longer: bool = False) -> LaterChange:
    what = f"no longer so, {row['what']}" if no_longer else row["what"]
    return LaterChange(
        closed,
        row["implementation_id"],
        what,
        says(row["what"], row["code"], row["text"]),
        row["starts"],
        row["until"] - ONE_DAY,
        "" if no_longer else row["by"] or "",
        "" if no_longer else row["second"] or "",
        None if no_longer else row["known_from"],
    )


def _judgements(system: int, moment: Moment, closed: ClosedWindow) -> list[LaterChange]:
    later = "{0}known_from >= %(closed_at)s AND {0}known_from < %(known_at)s"
    statement = JUDGEMENTS.replace("{people}", PEOPLE)
    statement = statement.replace("{later}", later.format("r."))
    for alias in ("d", "v", "n", "k", "y", "m"):
        statement = statement.replace(f"{{{alias}_later}}", later.format(f"{alias}."))
    since, last = closed.window
    rows = read_rows(
        statement,
        moment,
        system=system,
        since=since,
        last=last,
        closed_at=closed.closed_at,
    )
    return [
        LaterChange(
            closed,
            row["implementation_id"],
            row["what"],
            row["text"],
            row["starts"],
            row["until"] - ONE_DAY if row["until"] else None,
            row["by"] or "",
            row["second"] or "",
            row["known_from"],
        )
        for row in rows
    ]


def by_control(changes: Sequence[LaterChange]) -> Mapping[Any, list[LaterChange]]:
    """The changes by the key of their control; of the whole system by None."""
    of: dict[Any, list[LaterChange]] = {}
    for change in changes:
        of.setdefault(change.implementation, []).append(change)
    return of
