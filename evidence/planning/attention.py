"""What an officer of one system has to look at first: a number, a sentence, a way.

What the controls of today say, the worst first, then places, requests and reports. Who
is missing is known to `evidence.people.missing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.grammar import count_of, verb_for
from controls.models import Actor, System
from evidence.planning.my_work import unread_reports
from evidence.status.control_status import ControlStatus

# Reasons of one kind, what is said of the controls that have one of them, what follows
# from it, and where it is mended.
OF_CONTROLS = (
    (
        {"na_basis_changed"},
        "{is} no longer “not applicable”: what that rested on changed",
        "Judged again, though nobody is asked for proof.",
        "controls",
    ),
    (
        {
            "service_out_of_scope",
            "external_service_unauthorized",
            "region_out_of_scope",
            "site_out_of_scope",
        },
        "{lacks} a provider's half: a service or a place is outside of every report",
        "",
        "artifacts",
    ),
    (
        {"override_expired"},
        "{stands} on an override that has ended",
        "The parties of both classes count until an officer decides.",
        "controls",
    ),
    (
        {"poam_overdue"},
        "{has} a plan of action that is overdue",
        "",
        "findings",
    ),
    (
        {"na_review_due"},
        "{waits} for a new look at whether it applies",
        "",
        "controls",
    ),
    (
        {"not_stated"},
        "{has} no implementation status",
        "Partly proven at best until somebody states it.",
        "not stated",
    ),
)
MAX_NAMED = 3  # reports that a line names
STEPS = {
    "people": "Bring somebody",
    "controls": "Decide",
    "artifacts": "Open the reports",
    "findings": "Open the findings",
    "not stated": "State it",
    "regions": "Name the regions",
    "rereading": "See what would change",
    "reports to read": "Read and decide",
    "requests": "Open the requests",
}


@dataclass(frozen=True)
class NeedsAttention:
    """One line: `mark` is the number that the sentence goes on with, or "!".

    `controls` are those it speaks of, each with `ref_id` and `label`; `place` is a key
    of STEPS.
    """

    mark: str
    sentence: str
    hint: str
    place: str
    controls: tuple[Mapping[str, Any], ...] = ()
    urgent: bool = False

    @property
    def step(self) -> str:
        """What its link says."""
        return STEPS[self.place]


def of_controls(answers: Iterable[ControlStatus]) -> list[NeedsAttention]:
    """What the controls of a system say today, the worst first. Pure."""
    rows: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for answer in answers:
        codes = {reason.code for reason in answer.status.reasons}
        for place, (kinds, *_) in enumerate(OF_CONTROLS):
            if kinds & codes:
                row = answer.implementation
                rows[place].append({"ref_id": row["ref_id"], "label": row["label"]})
    return [
        NeedsAttention(
            str(len(rows[at])),
            f"{_noun(len(rows[at]))} {_with_verb(sentence, len(rows[at]))}.",
            hint,
            place,
            controls=tuple(rows[at]),
            urgent=place != "not stated",
        )
        for at, (_, sentence, hint, place) in enumerate(OF_CONTROLS)
        if rows[at]
    ]


def of_reports(user: Actor, system: System) -> list[NeedsAttention]:
    """Providers' reports that nobody has read for the system yet."""
    unread = [row for row in unread_reports(user) if row.system.pk == system.pk]
    if not unread:
        return []
    names = list(dict.fromkeys(str(row.version) for row in unread))
    number = len(unread)
    noun = count_of(number, "report").split(" ", 1)[1]
    return [
        NeedsAttention(
            str(number),
            f"{noun} of providers nobody has read.",
            f"{_named(names)}.",
            "reports to read",
        )
    ]


def of_requests(unsettled: int, overdue: int) -> list[NeedsAttention]:
    """Requests for evidence that are not settled."""
    if not unsettled:
        return []
    noun = count_of(unsettled, "request").split(" ", 1)[1]
    return [
        NeedsAttention(
            str(unsettled),
            f"{noun} for evidence {verb_for(unsettled, 'is')} not settled.",
            f"{overdue} overdue." if overdue else "",
            "requests",
            urgent=bool(overdue),
        )
    ]


def of_places(without_region: int, newer_readings: str | None) -> list[NeedsAttention]:
    """Components without a region, and newer reference data."""
    rows = []
    if without_region:
        noun = count_of(without_region, "component").split(" ", 1)[1]
        rows.append(
            NeedsAttention(
                str(without_region),
                f"{noun} {verb_for(without_region, 'has')} no region.",
                "No report proves a provider's half there.",
                "regions",
                urgent=True,
            )
        )
    if newer_readings:
        rows.append(
            NeedsAttention(
                "!",
                f"Reference data {newer_readings} is newer than what the classes were"
                " last compared with.",
                "",
                "rereading",
            )
        )
    return rows


def _noun(number: int) -> str:
    return count_of(number, "control").split(" ", 1)[1]


def _with_verb(sentence: str, number: int) -> str:
    verb, _, rest = sentence.removeprefix("{").partition("}")
    return f"{verb_for(number, verb)}{rest}"


def _named(names: Sequence[str]) -> str:
    more = max(0, len(names) - MAX_NAMED)
    return "; ".join(names[:MAX_NAMED]) + (f" and {more} more" if more else "")
