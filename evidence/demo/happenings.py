"""What the demo company shows per event: its changes, sampled, and no leavers."""

from __future__ import annotations

import datetime as dt

from controls.history.clock import clock_at
from controls.models import System, User
from controls.models.systems import ControlImplementation
from evidence.models import EvidenceRequirement, Population, Sample
from evidence.populations import event_list
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from evidence.requirements.changes import RequirementTerms, add_requirement
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store

DAY = dt.timedelta(days=1)
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


def play_events(system: System, people: dict[str, User], today: dt.date) -> None:
    """Changes with a sample drawn by the auditor; leavers of whom there were none."""
    start, end = today - 120 * DAY, today - 31 * DAY
    with clock_at(_at(start, 10)):
        changes = _ask(system, "cm-3", "Changes are approved first", start, people)
        leavers = _ask(system, "ac-2", "Leavers lose their accounts", start, people)
    with clock_at(_at(today - 28 * DAY, 9)):
        population = _changes(changes, people["paul"], start, end)
        nobody = _nobody(leavers, people["sara"], start, end)
    with clock_at(_at(today - 27 * DAY, 15)):
        decide_population(population, accept=True, by=people["rita"])
        decide_population(nobody, accept=True, by=people["rita"])
    with clock_at(_at(today - 19 * DAY, 11)):
        sample = draw_sample(
            population,
            SelectionMethod("random", size=SAMPLED, seed="northwind changes"),
            reason="The firm's table: 15 of up to 100 events.",
            by=people["audrey"],
        )
    _show(sample, changes, people, today)


def _at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)


def _ask(
    system: System, ref_id: str, title: str, since: dt.date, people: dict[str, User]
) -> EvidenceRequirement:
    implementation = ControlImplementation.objects.select_related(
        "system", "control"
    ).get(system=system, control__ref_id=ref_id)
    asked = RequirementTerms(
        title=title,
        cadence="per-event",
        purpose="operation",
        operates_from=since,
        guidance="Export every event, then show each sampled one.",
        good_proof="The ticket with who asked, who approved and when.",
        rarer_because="Beside what is asked by the calendar.",
    )
    return add_requirement(implementation, asked, by=people["olivia"])


def _changes(
    asked: EvidenceRequirement, by: User, start: dt.date, end: dt.date
) -> Population:
    """Sixty changes over the days, out of a ticket export."""
    span = (end - start).days
    lines = [
        f"CHG-{2001 + n},{start + n * span // CHANGES * DAY},{KINDS[n % len(KINDS)]}"
        for n in range(CHANGES)
    ]
    content = "\n".join(["key,day,kind", *lines, ""]).encode()
    said = PopulationStatement(
        source="Ticket system",
        query="type = change and state = closed, by day of closing",
        starts=start,
        ends=end,
        completeness="CHG-2001 to CHG-2060 without a gap; deployments compared.",
    )
    found = event_list.read(content, "changes.csv", start, end, zone=asked.system.zone)
    upload = store("changes.csv", [content])
    return submit_population(
        asked, said, found, upload=upload, by=by, today=end + 3 * DAY
    )


def _nobody(
    asked: EvidenceRequirement, by: User, start: dt.date, end: dt.date
) -> Population:
    said = PopulationStatement(
        source="Personnel system",
        query="employees whose last day lies in the range",
        starts=start,
        ends=end,
        completeness="Headcount at both ends compared with the hires between them.",
        none_happened=True,
    )
    return submit_population(
        asked, said, event_list.Events(), by=by, today=end + 3 * DAY
    )


def _show(
    sample: Sample, asked: EvidenceRequirement, people: dict[str, User], today: dt.date
) -> None:
    """All but the last three items are proven; of those one deviates, two are open."""
    items = list(
        sample.items.for_listing().select_related("item", "sample__population")
    )
    for item in items[: SAMPLED - OPEN - 1]:
        event = item.item
        said = Submission(
            title=f"Approval of {event.key}",
            performed_on=event.happened_on,
            period_start=event.happened_on,
            period_end=event.happened_on,
            collected_on=today - 17 * DAY,
            source_system="Ticket system",
            procedure="Ticket printed with its history.",
        )
        text = f"{event.key} of {event.happened_on}: requested, approved, deployed\n"
        with clock_at(_at(today - 17 * DAY, 9)):
            upload = store(f"{event.key.lower()}.txt", [text.encode()])
            link = submit(
                said,
                [upload],
                requirement=asked,
                item=item,
                by=people["paul"],
                today=today - 17 * DAY,
            )
        with clock_at(_at(today - 16 * DAY, 14)):
            link.accept(by=people["rita"])
    with clock_at(_at(today - 15 * DAY, 10)):
        record_deviation(
            items[-1],
            note="Approved the day after it went live, without the emergency rule.",
            by=people["rita"],
        )
