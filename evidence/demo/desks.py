"""What lies on the desks of the demo company: requests, doubts, decisions to take."""

from __future__ import annotations

import datetime as dt

from controls.applicability import decide_not_applicable, request_not_applicable
from controls.models import ControlImplementation, System
from controls.responsibility.overrides import decide_override, request_override
from evidence.demo.clock import DAY, instant_of, written_on
from evidence.demo.files import FileSubject, acting_report, configuration
from evidence.demo.people import People, Teams
from evidence.files.spill_removal import request_removal
from evidence.models import Evidence, EvidenceFile
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store


def fill_desks(system: System, people: People, teams: Teams, today: dt.date) -> None:
    """Requests in every state, a flagged file, a spill, an override, an exclusion."""
    _request(system, people, teams, today)
    _spill(system, people, today)
    _request_decisions(system, people, today)


def _request(system: System, people: People, teams: Teams, today: dt.date) -> None:
    """Requests of the auditor and of an officer, and what became of them."""
    # days ago, due in days, by, team, title, control, outcome
    requests = (
        (18, -4, "audrey", "platform", "Change tickets of one week", "cm-3", ""),
        (17, -9, "audrey", "security", "Who may assume the admin role?", "ac-6", "yes"),
        (15, 6, "audrey", "platform", "Restore test with its log", "cp-9", "answered"),
        (12, 3, "audrey", "people-operations", "Signed rules", "pl-4", "no"),
        (6, 12, "olivia", "security", "Alarms of the last quarter", "si-4", ""),
    )
    for place, (ago, due, by, team, title, ref_id, outcome) in enumerate(requests, 1):
        with written_on(today - DAY * ago, 10):
            draft = RequestDraft(
                title=title,
                number=f"PBC-{place:02}" if by == "audrey" else "",
                control_ids=[ref_id],
                team=teams[team],
                due_on=today + DAY * due,
                what="An extract with dates, from the system itself where it can be.",
            )
            request = request_evidence(system, draft, by=people[by])
        if not outcome:
            continue
        answered = instant_of(today - DAY * (ago - 3), 11)
        evidence = Evidence.objects.filter(system=system, team=teams[team])
        newest = evidence.filter(known_from__lt=answered).order_by("-known_from")[0]
        with written_on(today - DAY * (ago - 3), 11):
            answer(request, [newest], note="Our newest extract", by=newest.created_by)
        if outcome != "answered":
            with written_on(today - DAY * (ago - 4), 9):
                decide_answer(
                    request,
                    accept=outcome == "yes",
                    reason="" if outcome == "yes" else "Two signatures are missing.",
                    by=people[by],
                )


def _spill(system: System, people: People, today: dt.date) -> None:
    """A PDF that acts by itself, a spilled key, a requirement of our own."""
    control = _control(system, "si-7")
    day = today - DAY * 3
    report = FileSubject(
        "Integrity report", "SI-7", system.name, people["paul"].name, day, day, day
    )
    with written_on(today - DAY * 2, 9):
        active = submit(
            _submission("Integrity report with a form", today - DAY * 3),
            [store("integrity-report.pdf", [acting_report(report)])],
            implementation=control,
            by=people["paul"],
            today=today,
        )
        spilled = submit(
            _submission("Configuration as text", today - DAY * 3),
            [store("configuration.txt", [configuration(report)])],
            implementation=control,
            by=people["paul"],
            today=today,
        )
    with written_on(today - DAY, 9):
        file = EvidenceFile.objects.select_related(
            "blob", "revision__evidence__system"
        ).get(revision=spilled.revision)
        request_removal(
            file, reason="An access key stands in the second line.", by=people["olivia"]
        )
        add_requirement(
            active.implementation,
            NewTerms(
                title="Alarm when a signed package changes",
                cadence="quarterly",
                purpose="operation",
                guidance="One alarm of the quarter, and who looked at it when.",
                operates_from=today - DAY,
            ),
            by=people["olivia"],
        )


def _request_decisions(system: System, people: People, today: dt.date) -> None:
    """One override in force, one waiting; one control left out, one asked for."""
    with written_on(today - DAY * 40, 9):
        override = request_override(
            _control(system, "pe-3"),
            responsibility="shared",
            reason="Our people work in a rented cage beside the provider's.",
            starts_on=today - DAY * 40,
            ends_on=today + DAY * 140,
            by=people["olivia"],
        )
        exclusion = request_not_applicable(
            _control(system, "sc-15"),
            justification="No room of ours has a microphone or camera in the boundary.",
            review_by=today + DAY * 200,
            by=people["olivia"],
        )
    with written_on(today - DAY * 39, 9):
        decide_override(override, approve=True, by=people["oscar"])
        decide_not_applicable(exclusion, approve=True, by=people["oscar"])
    with written_on(today - DAY * 2, 9):
        request_override(
            _control(system, "cp-6"),
            responsibility="customer",
            reason="Copies go to a second provider, not to another region.",
            starts_on=today - DAY * 2,
            ends_on=today + DAY * 180,
            by=people["oscar"],
        )
        request_not_applicable(
            _control(system, "sc-18"),
            justification="It is an API: it sends no code to anybody's browser.",
            review_by=today + DAY * 180,
            by=people["oscar"],
        )


def _control(system: System, ref_id: str) -> ControlImplementation:
    rows = system.implementations.select_related("system", "control", "decision")
    return rows.get(control__ref_id=ref_id)


def _submission(title: str, day: dt.date) -> Submission:
    return Submission(
        title=title,
        performed_on=day,
        period_start=day,
        period_end=day,
        collected_on=day,
        source_system="Build server",
        procedure="Printed from the page of the job.",
    )
