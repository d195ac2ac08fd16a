"""Control status as rows: the same for CSV, JSON and the API, equal to the screen.

One file: the keys of a row are published, and each is told where it is made.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from controls.models import System
from controls.models.implementations import worst_of
from controls.service_names import display_names
from evidence.exports.rows.scope import ExportScope
from evidence.findings.item_answers import (
    ItemAnswer,
    all_answered,
    answers_by_control,
)
from evidence.status.control_status import (
    ControlStatus,
    Window,
    control_statuses,
    proven_by,
)
from evidence.status.gather import Moment
from evidence.status.half import ProviderResult
from evidence.status.reasons import Reason
from evidence.status.rows import grouped, read_rows
from evidence.status.rules import RULES, rules_then
from evidence.status.unnamed_controls import series_not_naming
from evidence.status.window import Period

ONE_DAY = dt.timedelta(days=1)
_ByControl = defaultdict[Any, list[Mapping[str, Any]]]
BATCH = 200  # controls
MAX_EVIDENCE = 100  # pieces of one control in one answer; the rest has its own address

# The newest of each control whose proof reaches into the window or later.
EVIDENCE = """
SELECT p.implementation_id, p.state, e.uuid::text, e.title, rev.performed_on,
       rev.period_from, rev.period_until, rev.collected_on, l.uuid::text AS link,
       (SELECT array_agg(b.sha256 ORDER BY f.position)
          FROM evidence_evidencefile f JOIN evidence_blob b ON b.id = f.blob_id
         WHERE f.revision_id = rev.id) AS sha256,
       r.reviewer_name AS reviewer
  FROM unnest(%(implementations)s::bigint[]) AS i(id)
 CROSS JOIN LATERAL (
    SELECT p.implementation_id, p.state, p.link_id, p.starts FROM evidence_proof p
     WHERE p.implementation_id = i.id AND p.starts <= %(day)s
       AND (p.starts >= %(since)s OR p.ends >= %(since)s)
       AND {holding} AND {proof_standing}
     ORDER BY p.starts DESC, p.link_id DESC LIMIT %(limit)s) p
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT reviewer_name FROM evidence_review r WHERE r.link_id = l.id AND {before}
     ORDER BY r.id DESC LIMIT 1) r ON TRUE
 ORDER BY p.implementation_id, p.starts DESC, p.link_id DESC
"""

REMOVED = """
SELECT l.implementation_id, 'removed' AS state, e.uuid::text, e.title,
       rev.performed_on, rev.period_from, rev.period_until, rev.collected_on,
       l.uuid::text AS link, array_agg(b.sha256 ORDER BY f.position) AS sha256,
       '' AS reviewer
  FROM {removal} s
  JOIN evidence_evidencefile f ON f.id = s.file_id
  JOIN evidence_blob b ON b.id = f.blob_id
  JOIN evidence_evidencerevision rev ON rev.id = f.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  JOIN evidence_evidencelink l ON l.revision_id = rev.id
 WHERE s.state = 'approved' AND s.system_id = %(system)s
   AND l.implementation_id = ANY(%(implementations)s)
 GROUP BY l.implementation_id, e.uuid, e.title, rev.id, l.uuid
 ORDER BY l.implementation_id, rev.performed_on DESC, l.uuid
"""

ARTIFACTS = """
SELECT v.artifact_id, a.title, a.series, v.label, v.starts, v.until, v.reference
  FROM {artifact_version} v JOIN {artifact} a ON a.id = v.artifact_id
 ORDER BY v.artifact_id, v.starts, v.id
"""


def documents(
    system: System,
    moment: Moment,
    window: Window,
    *,
    pks: Sequence[int] | None = None,
    newest: int = MAX_EVIDENCE,
) -> Iterator[dict[str, Any]]:
    """One JSON-ready mapping per control (all, or the implementations `pks`).

    Each with its evidence of the window, the `newest` pieces of it at most (0: none);
    `more_evidence` says whether there is more. `responses` are what the company answers
    to items of the window (R36), `answered` whether it answers each of an exception
    (R15). What they rest on is read for `BATCH` controls at a time, and held no longer;
    responses are few, and read at once.
    """
    statuses = control_statuses(system, moment, pks=pks, window=window)
    return _documents(statuses, system, moment, window, newest)


def _documents(
    statuses: Sequence[ControlStatus],
    system: System,
    moment: Moment,
    window: Window,
    newest: int,
) -> Iterator[dict[str, Any]]:
    names = display_names()
    reports = grouped(read_rows(ARTIFACTS, moment), "artifact_id")
    responses = answers_by_control(periods_of(statuses), moment, names)
    every = [answer.implementation["id"] for answer in statuses]
    unnamed = series_not_naming(every, moment)
    for start in range(0, len(statuses), BATCH):
        answers = statuses[start : start + BATCH]
        keys = [answer.implementation["id"] for answer in answers]
        proofs, removed = _evidence_of(system, keys, moment, window, newest)
        for answer in answers:
            key = answer.implementation["id"]
            yield document(
                answer,
                moment,
                [*proofs[key][:newest], *removed[key]],
                [
                    {**row, "unnamed": artifact in unnamed.get(key, {})}
                    for artifact in answer.artifacts
                    for row in reports[artifact]
                ],
                more=len(proofs[key]) > newest,
            ) | answers_document(answer, responses.get(key, ()))


def periods_of(answers: Iterable[ControlStatus]) -> dict[int, Period]:
    """The windows that were judged, by the keys of their controls."""
    return {
        answer.implementation["id"]: answer.period
        for answer in answers
        if answer.period is not None
    }


def answers_document(
    answer: ControlStatus, items: Collection[ItemAnswer]
) -> dict[str, Any]:
    """What the company answers to the items of one control's window."""
    result = answer.period.result if answer.period else ""
    return {
        "answered": result == "exceptions" and all_answered(items),
        "responses": [
            {
                "kind": row.item.kind,
                "title": row.item.title,
                "from": row.item.starts.isoformat(),
                "to": row.item.ends.isoformat(),
                "cause": row.accepted.cause,
                "effect": row.accepted.effect,
                "measures": row.accepted.measures,
                "compensating": row.accepted.compensating,
                "owner": row.accepted.owner,
                "counted": row.counted,
                "answered_for": row.answered_of,
                "lacking": row.lacking_words,
                "written_by": row.accepted.responder_name,
                "accepted_by": row.accepted.decision.reviewer_name,
            }
            for row in items
            if row.accepted
        ],
    }


def counted_documents(scope: ExportScope) -> tuple[int, Iterator[dict[str, Any]]]:
    """How many controls a scope means, and their documents."""
    answers = scope.answers()
    return len(answers), _documents(
        answers, scope.system, scope.moment, scope.window, MAX_EVIDENCE
    )


def answered_documents(
    scope: ExportScope,
) -> tuple[int, Iterator[tuple[dict[str, Any], ControlStatus]]]:
    """How many controls a scope means, and their documents, without their evidence,
    each with what it is of."""
    answers = scope.answers()
    return len(answers), (
        (document(answer, scope.moment, [], []), answer) for answer in answers
    )


def _evidence_of(
    system: System, keys: Sequence[int], moment: Moment, window: Window, newest: int
) -> tuple[_ByControl, _ByControl]:
    """Evidence of controls by their keys, one piece more than asked for, and what was
    removed of it."""
    if not newest:
        return defaultdict(list), defaultdict(list)
    named = {"system": system.pk, "implementations": list(keys)}
    bounds = {"since": window[0], "limit": newest + 1}
    proofs, removed = (
        grouped(read_rows(statement, moment, **named, **bounds), "implementation_id")
        for statement in (EVIDENCE, REMOVED)
    )
    return proofs, removed


# R8: what a class rests on, wherever it is exported.
SOURCES = {
    "derived": "template, confirm for your use",
    "provider-document": "provider's document",
    "override": "override",
    "override-expired": "override expired",
}


def document(
    answer: ControlStatus,
    moment: Moment,
    proofs: Sequence[Mapping[str, Any]],
    reports: Sequence[Mapping[str, Any]],
    *,
    more: bool = False,
) -> dict[str, Any]:
    """One control as a mapping: keys are the columns of the CSV and of the JSON.

    `more` says that it has more evidence than `proofs`.
    """
    row, judged = answer.implementation, answer.status
    return {
        "control_id": row["ref_id"],
        "label": row["label"],
        "title": row["title"],
        "responsibility": answer.facts.responsibility,
        "responsibility_source": SOURCES.get(row["source"] or "", ""),
        "basis": [basis_row(component) for component in answer.basis],
        "owner": row["owner"] or "",
        "implementation_status": _status(answer),
        "applicability": row["applicability"],
        "applicability_reason": row["na_justification"] or "",
        "override": _override(row),
        "aws_half": judged.aws_half,
        "customer_half": judged.customer_half,
        "verdict": judged.verdict,
        "reasons": [reason_row(reason) for reason in judged.reasons],
        "providers": [_provider(part, answer) for part in judged.providers],
        "proven_by": proven_by(answer),
        "period": _period(answer),
        "evidence": [evidence_row(proof) for proof in proofs],
        "more_evidence": more,
        "artifacts": [_report(report) for report in reports],
        "on": moment.on.isoformat(),
        "known_at": moment.known_at.isoformat() if moment.known_at else None,
        "reference_version": row["reference_version"] or "",
        "regime_numbers": list(row["regime_numbers"]),
        "rules": RULES,
        "rules_then": rules_then(moment.known_at),
    }


BASIS_KEYS = ("layer", "component", "variant", "party", "kind", "source")


def basis_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a basis with exactly the published keys."""
    return {key: row.get(key, "") for key in BASIS_KEYS}


def _status(answer: ControlStatus) -> str:
    """The control's implementation status: its worst part's."""
    worst = answer.facts.worst_part
    whole = answer.facts.implementation_status
    return worst_of([whole, worst] if worst else [whole])


def _override(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["source"] not in {"override", "override-expired"}:
        return None
    return {
        "source": row["source"],
        "reason": row["decision_reason"],
        "until": row["override_until"].isoformat() if row["override_until"] else None,
    }


def _period(answer: ControlStatus) -> dict[str, Any]:
    result = answer.period
    if result is None:
        return {}
    return {
        "result": result.result,
        "expected": result.occurrences.expected,
        "on_time": result.occurrences.on_time,
        "late": result.occurrences.late,
        "missed": result.occurrences.missed,
        "not_yet_due": result.occurrences.not_yet_due,
        "sampled": result.occurrences.sampled,
        "deviations": result.occurrences.deviations,
        "audited_days": result.aws_days.audited,
        "asserted_days": result.aws_days.asserted,
        "awaited_days": result.aws_days.awaited,
        "open_days": result.aws_days.open_days,
        **_window(result),
    }


def _window(result: Period) -> dict[str, Any]:
    """What stands beside the counts of a window, and why its result is so."""
    ours, days = result.occurrences, result.occurrences.event_days
    return {
        "recorded_late": ours.recorded_late,
        "within_grace": ours.within_grace,
        "cut_short": ours.cut_short,
        "waived": ours.waived,
        "changed_in_retrospect": sum(r.changed_in_retrospect for r in ours.results),
        "before_window": ours.before_window,
        "after_window_within_grace": ours.after_window_within_grace,
        "unasked_days": result.unasked_days,
        "asked_from": result.asked_from.isoformat() if result.asked_from else None,
        "event_days_covered": days.covered,
        "event_days_open": days.open,
        "event_days_not_yet_due": days.not_yet_due,
        "blocked": [
            {
                "from": blocked.first.isoformat(),
                "to": blocked.last.isoformat(),
                "reason": blocked.reason.sentence,
            }
            for blocked in result.blocked
        ],
        "reasons": [
            {"code": r.code, "subject": r.subject, "next_step": r.next_step}
            for r in result.reasons
        ],
    }


def _provider(part: ProviderResult, answer: ControlStatus) -> dict[str, Any]:
    """One provider's part of the half, and its days in the window by its worst need."""
    days = answer.period.aws_days.of_provider(part.provider) if answer.period else None
    return {
        "provider": part.provider,
        "name": part.name,
        "state": part.state,
        "until": part.until.isoformat() if part.until else None,
        "reasons": [reason_row(reason) for reason in part.reasons],
        "audited_days": days.audited if days else None,
        "asserted_days": days.asserted if days else None,
        "awaited_days": days.awaited if days else None,
        "open_days": days.open_days if days else None,
    }


def reason_row(reason: Reason) -> dict[str, str]:
    """A reason with exactly the published keys."""
    return {
        "code": reason.code,
        "subject": reason.subject,
        "next_step": reason.next_step,
    }


def evidence_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One piece of evidence with exactly the published keys."""
    return {
        "uuid": row["uuid"],
        "link": row["link"],
        "title": row["title"],
        "state": row["state"],
        "performed_on": row["performed_on"].isoformat(),
        "period_start": row["period_from"].isoformat(),
        "period_end": (row["period_until"] - ONE_DAY).isoformat(),
        "collected_on": row["collected_on"].isoformat(),
        "sha256": list(row["sha256"] or []),
        "reviewer": row["reviewer"] or "",
    }


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    end = row["until"] - ONE_DAY if row["until"] else None
    return {
        "title": row["title"],
        "series": row["series"],
        "version": row["label"],
        "start": row["starts"].isoformat(),
        "end": end.isoformat() if end else None,
        "unnamed": row["unnamed"],
    }
