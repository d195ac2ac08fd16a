"""What the demo company shows per event: its changes, sampled, and no leavers, listed
month by month with one month left out."""

from __future__ import annotations

import datetime as dt

from controls.models import System, User
from controls.models.implementations import ControlImplementation
from evidence.demo.clock import DAY, written_on
from evidence.demo.files import FileSubject, ticket
from evidence.demo.people import People
from evidence.models import Population, RequirementControl, Sample
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.populations import event_list
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.status.cadence import POPULATION_CADENCE, periods
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store

CHANGES = 60
SAMPLED = 15
OPEN = 2
KINDS = (
    "deployment",
    "network rule",
    "database schema",
    "key rotation",
    "image update",
)


def play_events(system: System, people: People, today: dt.date) -> None:
    """Changes with a sample drawn by the auditor; leavers of whom there were none, in
    the months that somebody listed."""
    start, end = today - 120 * DAY, today - 31 * DAY
    with written_on(start, 10):
        changes = _per_event(
            system, "cm-3", "Changes are approved first", start, people
        )
        leavers = _per_event(
            system,
            "ac-2",
            "Leavers lose their accounts",
            start,
            people,
            population_cadence="monthly",
        )
    with written_on(today - 28 * DAY, 9):
        population = _changes(changes, people["paul"], start, end)
    with written_on(today - 27 * DAY, 15):
        # the quarter in which their days begin may have been due before
        stamped = DayConfirmation(confirmed=True, shown_by="Stamp of the export")
        decide_population(population, accept=True, by=people["rita"], day=stamped)
    _list_no_leavers(leavers, start, people, today)
    with written_on(today - 19 * DAY, 11):
        sample = draw_sample(
            population,
            SelectionMethod("random", size=SAMPLED, seed="northwind changes"),
            reason="The firm's table: 15 of up to 100 events.",
            by=people["audrey"],
        )
    _prove_items(sample, changes, people, today)


def _per_event(
    system: System,
    ref_id: str,
    title: str,
    since: dt.date,
    people: People,
    *,
    population_cadence: str = POPULATION_CADENCE,
) -> RequirementControl:
    implementation = ControlImplementation.objects.select_related(
        "system", "control"
    ).get(system=system, control__ref_id=ref_id)
    terms = NewTerms(
        title=title,
        cadence="per-event",
        purpose="operation",
        operates_from=since,
        guidance="Export every event, then show each sampled one.",
        good_proof="The ticket with who asked, who approved and when.",
        rarer_because="Beside what is asked by the calendar.",
        population_cadence=population_cadence,
    )
    return add_requirement(implementation, terms, by=people["olivia"])


def _changes(
    requirement: RequirementControl, by: User, start: dt.date, end: dt.date
) -> Population:
    """Sixty changes over the days, out of a ticket export."""
    span = (end - start).days
    lines = [
        f"CHG-{2001 + n},{start + n * span // CHANGES * DAY},{KINDS[n % len(KINDS)]}"
        for n in range(CHANGES)
    ]
    content = "\n".join(["key,day,kind", *lines, ""]).encode()
    statement = PopulationStatement(
        source="Ticket system",
        query="type = change and state = closed, by day of closing",
        starts=start,
        ends=end,
        completeness="CHG-2001 to CHG-2060 without a gap; deployments compared.",
    )
    events = event_list.read(
        content, "changes.csv", start, end, zone=requirement.system.zone
    )
    upload = store("changes.csv", [content])
    return submit_population(
        requirement, statement, events, upload=upload, by=by, today=end + 3 * DAY
    )


def _list_no_leavers(
    requirement: RequirementControl, since: dt.date, people: People, today: dt.date
) -> None:
    """Each month since then that is over, two days later, but for the last but one."""
    months = list(periods("monthly", since, today - 5 * DAY))
    for first, last in (*months[:-2], *months[-1:]):
        with written_on(last + 2 * DAY, 9):
            listed = _no_leavers(requirement, people["sara"], max(since, first), last)
        with written_on(last + 3 * DAY, 15):
            decide_population(listed, accept=True, by=people["rita"], day=NOT_CONFIRMED)


def _no_leavers(
    requirement: RequirementControl, by: User, start: dt.date, end: dt.date
) -> Population:
    statement = PopulationStatement(
        source="Personnel system",
        query="employees whose last day lies in the range",
        starts=start,
        ends=end,
        completeness="Headcount at both ends compared with the hires between them.",
        none_happened=True,
    )
    return submit_population(
        requirement, statement, event_list.Events(), by=by, today=end + 2 * DAY
    )


def _prove_items(
    sample: Sample, requirement: RequirementControl, people: People, today: dt.date
) -> None:
    """All but the last three items are proven; of those one deviates, two are open."""
    items = list(
        sample.items.for_listing().select_related("item", "sample__population")
    )
    for item in items[: SAMPLED - OPEN - 1]:
        event = item.item
        submission = Submission(
            title=f"Approval of {event.key}",
            performed_on=event.happened_on,
            period_start=event.happened_on,
            period_end=event.happened_on,
            collected_on=today - 17 * DAY,
            source_system="Ticket system",
            procedure="Ticket printed with its history.",
        )
        subject = FileSubject(
            title=submission.title,
            label=requirement.implementation.control.label,
            system=requirement.system.name,
            maker=people["paul"].name,
            performed_on=event.happened_on,
            start=event.happened_on,
            end=event.happened_on,
        )
        content = ticket(subject, event.key, event.columns["kind"])
        with written_on(today - 17 * DAY, 9):
            upload = store(f"{event.key.lower()}.pdf", [content])
            link = submit(
                submission,
                [upload],
                requirement=requirement,
                item=item,
                by=people["paul"],
                today=today - 17 * DAY,
            )
        with written_on(today - 16 * DAY, 14):
            link.accept(by=people["rita"])
    with written_on(today - 15 * DAY, 10):
        record_deviation(
            items[-1],
            note="Approved the day after it went live, without the emergency rule.",
            by=people["rita"],
        )
