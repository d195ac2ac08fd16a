"""What was seen to fail in the demo company, what was found, and what it answers."""

from __future__ import annotations

import datetime as dt

from controls.models import ControlImplementation, System
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People
from evidence.findings.dispositions import decide_disposition, request_disposition
from evidence.findings.recording import record_finding, record_observation
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.models import DispositionKind, EvidenceLink, LinkState
from evidence.status.rows import Moment

RESPONSES = (
    (
        "The export of the tool failed and nobody watched it.",
        "None: the log of the gateway shows no access in these days.",
        "The export raises an alarm now.",
    ),
    (
        "The team was reorganised, and nobody held the task.",
        "Reviewed afterwards for the whole time; nothing was found.",
        "A deputy is named for each task.",
    ),
    (
        "The report was taken two weeks late.",
        "None that is known.",
        "It is in the calendar of the team now.",
    ),
)


def play_findings(system: System, people: People, today: dt.date) -> None:
    """A failing observation with its open finding, a finding that is overdue, one that
    is closed with evidence, and an observation that nothing was made of."""
    _observed(system, people, today)
    _overdue(system, people, today)
    _closed(system, people, today)


def _observed(system: System, people: People, today: dt.date) -> None:
    seen = today - DAY * 9
    with written_on(seen, 14):
        observation = record_observation(
            _control(system, "ac-6"),
            source="Walk-through of the admin roles",
            text="A former colleague could still assume the role of operators.",
            observed_on=seen,
            by=people["audrey"],
        )
    with written_on(seen + DAY * 2, 10):
        record_finding(
            observation.implementation,
            title="A leaver kept the role of operators",
            text="The role lists people by name and is not part of the leaver's list.",
            severity="moderate",
            observation=observation,
            by=people["olivia"],
        )
    with written_on(today - DAY * 2, 15):
        record_observation(
            _control(system, "au-12"),
            source="Daily check of the trails",
            text="One region wrote no events for four hours.",
            observed_on=today - DAY * 2,
            by=people["olivia"],
        )


def _overdue(system: System, people: People, today: dt.date) -> None:
    day = today - DAY * 44
    with written_on(day, 11):
        finding = record_finding(
            _control(system, "ra-5"),
            title="Images with a grave weakness are still deployed",
            text="Two base images carry it; the pipeline does not stop them.",
            source="Scan of the registry",
            severity="high",
            found_on=day,
            by=people["oscar"],
        )
    with written_on(today - DAY * 4, 9):
        request_disposition(
            finding,
            kind=DispositionKind.RISK_ADJUSTMENT,
            text="Neither image can be reached from outside.",
            severity="moderate",
            by=people["olivia"],
        )


def _closed(system: System, people: People, today: dt.date) -> None:
    """Of the first control that was proven anew since."""
    day = today - DAY * 60
    proven = (
        EvidenceLink.objects.filter(
            system=system, state=LinkState.ACCEPTED, revision__performed_on__gte=day
        )
        .order_by("implementation__control__sort_order", "pk")
        .first()
    )
    if proven is None:
        return
    with written_on(day, 10):
        finding = record_finding(
            proven.implementation,
            title="The record left out what lived for less than a day",
            text="Accounts and machines that came and went within a day were missing.",
            source="Internal review of the records",
            severity="low",
            found_on=day,
            by=people["olivia"],
        )
    with written_on(today - DAY * 3, 10):
        disposition = request_disposition(
            finding,
            kind=DispositionKind.CLOSURE,
            text="The record is made every hour now.",
            link=proven,
            by=people["olivia"],
        )
    with written_on(today - DAY * 2, 10):
        decide_disposition(
            disposition, decision="accept", reason="", by=people["oscar"]
        )


def play_responses(system: System, people: People, today: dt.date) -> None:
    """Of what is to be answered in the window three are, one waits, one was refused."""
    window = (system.window_start, system.window_end)
    rows = items_answered(system, Moment(today - DAY), window)
    to_answer = [row for row in rows if row.item.kind in {"late", "missed"}][:5]
    for number, row in enumerate(to_answer):
        cause, effect, measures = RESPONSES[number % len(RESPONSES)]
        with written_on(today - DAY, 9):
            response = respond(
                row.implementation,
                row.item.key,
                window,
                cause=cause,
                effect=effect,
                measures=measures,
                owner=str(row.implementation.owner_team or "Compliance"),
                by=people["olivia"],
            )
        if number == 3:
            continue
        with written_on(today - DAY, 15):
            decide_response(
                response,
                decision="reject" if number == 4 else "accept",
                reason="Say since when it was known." if number == 4 else "",
                by=people["oscar"],
            )


def _control(system: System, ref_id: str) -> ControlImplementation:
    return ControlImplementation.objects.get(system=system, control__ref_id=ref_id)
