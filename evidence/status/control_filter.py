"""Which controls of a system are meant by the filters of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from controls.control_ids import matches, normalised_id
from controls.models import Control, System
from controls.models.implementations import worst_of
from evidence.charts import RESULTS
from evidence.status.clock_parameters import Window
from evidence.status.control_status import (
    ControlStatus,
    control_statuses,
    listed,
    proven_by,
    window_of,
)
from evidence.status.gather import Moment
from evidence.status.rows import as_json
from evidence.status.window_counts import results_of

RESULTS_OF_A_WINDOW = frozenset(code.partition("-")[0] for code, _, _ in RESULTS)
Row = Mapping[str, Any]
VERDICT_ORDER = ("unproven", "partly", "not_applicable", "proven")
STATUS_ORDER = ("not-stated", "planned", "partial", "alternative", "implemented")
CLASS_ORDER = ("unclassified", "customer", "shared", "inherited", "none")
# Filters and orders that look at how a control stands, not only at what names it.
STANDING_FILTERS = ("responsibility", "verdict", "status")
STANDING_ORDERS = ("class", "status", "verdict")


def matching_rows(rows: Sequence[Row], filters: Mapping[str, str]) -> list[Row]:
    """Rows of `listed` that are of a family, a class, a team (name), as far as
    `status` (their worst part's), that answer to a `number` of the regime, and named by
    an id, by such a number, or by words of their title or of what they ask (`q`); what
    is not named is any. With words one statement."""
    if not any(filters.values()):
        return list(rows)
    text = filters.get("q", "").strip()
    by_summary: set[int] = set()
    if text and not normalised_id(text):
        worded = Control.objects.filter(summary__icontains=text)
        by_summary = set(worded.values_list("pk", flat=True))
    return [row for row in rows if _matches(row, filters, by_summary)]


def judged(system: System, moment: Moment, rows: Sequence[Row]) -> list[ControlStatus]:
    """The rows with their verdicts, in their order; none of a system that was not
    recorded by then. Rows of `named_controls` are read whole by one statement more."""
    whole = all("basis_id" in row for row in rows)
    try:
        answers = control_statuses(
            system,
            moment,
            pks=[row["id"] for row in rows],
            known=rows if whole else None,
        )
    except LookupError:
        return []
    by_key = {answer.implementation["id"]: answer for answer in answers}
    return [by_key[row["id"]] for row in rows if row["id"] in by_key]


def with_verdict(
    system: System,
    moment: Moment,
    rows: Sequence[Row],
    verdict: str,
    window: Window | None = None,
) -> list[ControlStatus]:
    """Those of the rows that have a verdict, or a result over a window.

    `proven-`, `complete-` and whose halves they rest on name those alone. The window
    is the system's own, as it was known then, where none is given.
    """
    if verdict.partition("-")[0] not in RESULTS_OF_A_WINDOW:
        return [
            answer
            for answer in judged(system, moment, rows)
            if verdict in (answer.status.verdict, f"proven-{proven_by(answer)}")
        ]
    window = window or window_of(system, moment.known_at)
    whose = results_of(system, [row["id"] for row in rows], moment, window)
    matching = [row for row in rows if verdict in whose.get(row["id"], ())]
    return judged(system, moment, matching)


def in_list_order(
    system: System,
    moment: Moment,
    rows: Sequence[Row],
    filters: Mapping[str, str],
    window: Window | None = None,
) -> list[Row] | list[ControlStatus]:
    """What all filters mean of the rows of `named_controls`, in the order that `sort`
    names: `class`, `verdict`, `status` (the worst first), `owner` (nobody first); else
    that of the catalog.

    With their verdicts where these are looked at, else as rows. One statement more
    where filters or order look at how controls stand.
    """
    if filters.get("sort") in STANDING_ORDERS or any(
        map(filters.get, STANDING_FILTERS)
    ):
        rows = listed(system, moment)
    matching = matching_rows(rows, filters)
    order = filters.get("sort", "")
    answers: list[ControlStatus] | None = None
    if verdict := filters.get("verdict"):
        answers = with_verdict(system, moment, matching, verdict, window)
    elif order == "verdict":
        answers = judged(system, moment, matching)
    if answers is None:
        return sorted(matching, key=ROW_ORDERS[order]) if order else matching
    if order == "verdict":
        return sorted(answers, key=lambda a: _rank(VERDICT_ORDER, a.status.verdict))
    if order:
        return sorted(answers, key=lambda a: ROW_ORDERS[order](a.implementation))
    return answers


def row_of(item: Row | ControlStatus) -> Row:
    """The row of a control, whether it was judged or not."""
    return item.implementation if isinstance(item, ControlStatus) else item


def _rank(order: Sequence[str], code: str) -> int:
    return order.index(code) if code in order else len(order)


def keys_matching(
    system: System,
    moment: Moment,
    rows: Sequence[Row],
    filters: Mapping[str, str],
    window: Window | None = None,
) -> list[int]:
    """The keys of the controls that all filters mean, a verdict among them; the window
    as for `with_verdict`."""
    matching = matching_rows(rows, filters)
    if verdict := filters.get("verdict"):
        answers = with_verdict(system, moment, matching, verdict, window)
        matching = [answer.implementation for answer in answers]
    return [row["id"] for row in matching]


def _matches(row: Row, filters: Mapping[str, str], by_summary: Set[int]) -> bool:
    has = {
        "family": row["family"],
        "team": row["owner"] or "",
    }
    if filters.get("responsibility"):
        has["responsibility"] = row["responsibility"] or "unclassified"
    if filters.get("status"):
        has["status"] = _worst_status(row)
    number = filters.get("number")
    if number and number not in row["regime_numbers"]:
        return False
    if any(filters.get(name) and filters[name] != value for name, value in has.items()):
        return False
    text = filters.get("q", "")
    return (
        not text
        or row["control_id"] in by_summary
        or text.strip().lower() in {n.lower() for n in row["regime_numbers"]}
        or matches(text, ref_id=row["ref_id"], label=row["label"], title=row["title"])
    )


def _worst_status(row: Row) -> str:
    parts = as_json(row["part_statuses"])
    return worst_of([row["implementation_status"], *parts.values()])


ROW_ORDERS: Mapping[str, Callable[[Row], Any]] = {
    "class": lambda row: _rank(CLASS_ORDER, row["responsibility"] or "unclassified"),
    "owner": lambda row: (row["owner"] or "").lower(),
    "status": lambda row: _rank(STATUS_ORDER, _worst_status(row)),
}
