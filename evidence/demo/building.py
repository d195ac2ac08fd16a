"""Builds the demo through the product's own verbs, under the clock of its past.

Deterministic: the same day gives the same rows (but for random identifiers).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from controls.control_parts import parts_of
from controls.history.clock import clock_at
from controls.models import (
    Baseline,
    Control,
    Engagement,
    Membership,
    ServiceVariant,
    System,
    Team,
    User,
)
from controls.models.systems import ControlImplementation
from controls.provider_documents.rows import read_statements
from controls.reference.updates import adopt, digest_of, preview
from evidence.artifacts import register
from evidence.artifacts.letters import decide_letter
from evidence.artifacts.reliance import record_reliance
from evidence.demo import company
from evidence.demo.desks import fill_desks
from evidence.demo.happenings import play_events
from evidence.models import ArtifactVersion, EvidenceLink, EvidenceRequirement
from evidence.notices.gathering import gather_notices
from evidence.status.cadence import last_day, occurrence_of
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from evidence.systems.describe import Use, create_system
from evidence.systems.provider_documents import adopt_document

STATEMENTS = Path(__file__).parent / "provider_statements.csv"
UTC = dt.UTC
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Act:
    """One submission as the demo plays it; `decided` None leaves it waiting."""

    requirement: EvidenceRequirement
    performed_on: dt.date
    start: dt.date
    end: dt.date
    submitted: dt.datetime
    decided: dt.datetime | None
    accepted: bool = True


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """An instant of a day in UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=UTC)


def build(*, today: dt.date, password: str) -> list[User]:
    """The whole demo; returns the accounts. One transaction per step of time."""
    start = today - dt.timedelta(days=400)
    with clock_at(at(start, 8)):
        people, teams = _people(start, password)
        payments = _payments(people, teams, today, start)
        analytics = _analytics(people, teams, today, start)
    _let_the_auditor_in(people, payments, today)
    for system in (payments, analytics):
        System.objects.filter(pk=system.pk).update(demo=True)
    _documents(people, (payments, analytics), today)
    _provider_says(people, payments, today - 120 * DAY)
    for system, seed in ((payments, 7), (analytics, 11)):
        _play(system, people, today, random.Random(seed))  # noqa: S311 - a demo
        _statuses(system, random.Random(seed))  # noqa: S311 - a demo
    fill_desks(payments, people, teams, today)
    for system in (payments, analytics):  # the readings were loaded just now
        adopt(system, by=people["olivia"], seen=digest_of(preview(system)))
    gather_notices(timezone.now())
    play_events(payments, people, today)
    return list(people.values())


@transaction.atomic
def _people(start: dt.date, password: str) -> tuple[dict[str, User], dict[str, Team]]:
    teams = {
        slug: Team.objects.create(slug=slug, name=name) for slug, name in company.TEAMS
    }
    people = {
        local: User.objects.create_user(
            f"{local}@{company.DOMAIN}",
            password,
            name=name,
            is_staff=role == "officer",
        )
        for local, name, role, _ in company.PEOPLE
    }
    User.objects.create_superuser(company.ADMINISTRATOR, name="Ada Administrator")
    return people, teams


def _payments(
    people: dict[str, User], teams: dict[str, Team], today: dt.date, start: dt.date
) -> System:
    system = System(
        baseline=Baseline.objects.get(slug="fedramp-moderate"),
        slug="payments",
        name="Payments platform",
        description="Card and account payments for merchants: API, ledger, payouts.",
        regime="fedramp",
        impact_level="moderate",
        time_zone="UTC",
        window_start=today.replace(month=1, day=1),
        window_end=today.replace(month=12, day=31),
    )
    uses = _uses(company.PAYMENTS_SERVICES, start, ["us-east-1", "us-west-2"])
    uses += _uses(("staff-devices",), start, [])
    return _create(system, uses, people, teams, start)


def _analytics(
    people: dict[str, User], teams: dict[str, Team], today: dt.date, start: dt.date
) -> System:
    system = System(
        baseline=Baseline.objects.get(slug="nist-low"),
        slug="ledger-analytics",
        name="Ledger analytics",
        description="Reports for finance on exported ledger data; no servers.",
        regime="soc2",
        impact_level="low",
        time_zone="Europe/Amsterdam",
        window_start=today.replace(month=1, day=1),
        window_end=today.replace(month=12, day=31),
    )
    uses = _uses(company.ANALYTICS_SERVICES, start, ["eu-west-1"])
    return _create(system, uses, people, teams, start)


def _uses(slugs: tuple[str, ...], since: dt.date, regions: list[str]) -> list[Use]:
    variants = ServiceVariant.objects.filter(
        service__slug__in=slugs, is_default=True
    ).select_related("service")
    return [Use(v, since, regions=regions) for v in variants.order_by("pk")]


def _create(
    system: System,
    uses: list[Use],
    people: dict[str, User],
    teams: dict[str, Team],
    start: dt.date,
) -> System:
    owners = {family: teams[slug] for family, slug in company.OWNERS.items()}
    administrator = User.objects.get(email=company.ADMINISTRATOR)
    create_system(system, uses, owners, by=administrator, officer=people["olivia"])
    for local, _, role, team in company.PEOPLE:
        if role == "auditor" or local == "olivia":
            continue
        Membership.objects.create(
            system=system,
            user=people[local],
            role=role,
            team=teams.get(team),
            starts_at=at(start, 8),
        )
    return system


def _let_the_auditor_in(
    people: dict[str, User], system: System, today: dt.date
) -> None:
    engagement = Engagement.objects.create(
        system=system,
        title=f"FedRAMP annual assessment {today.year}",
        kind="fedramp",
        firm="Harbour & Stone Assessors",
        window_start=system.window_start,
        window_end=system.window_end,
    )
    Membership.objects.create(
        system=system,
        user=people["audrey"],
        role="auditor",
        engagement=engagement,
        starts_at=at(today - 20 * DAY, 0),
        ends_at=at(today + 60 * DAY, 0),
    )


def _documents(
    people: dict[str, User], systems: tuple[System, ...], today: dt.date
) -> None:
    """Register AWS's documents on their days; cite and review them."""
    controls = list(
        Control.objects.filter(implementations__system__in=systems).distinct()
    )
    for series in company.aws_documents(today):
        artifact = None
        for report in series.reports:
            with clock_at(at(report.recorded, 9)):
                if artifact is None:
                    artifact = register.register_artifact(
                        title=series.title,
                        series=series.series,
                        kind=series.kind,
                        scheme=series.scheme,
                        by=people["olivia"],
                    )
                    register.cite(
                        artifact,
                        controls,
                        citation="Description of controls, by service",
                        by=people["olivia"],
                    )
                version = register.register_version(
                    artifact,
                    label=report.label,
                    starts=report.starts,
                    ends=report.ends,
                    services=_in_scope(systems, series.out_of_scope),
                    regions=["us-east-1", "us-west-2", "eu-west-1"],
                    impact_level=report.impact_level,
                    partition=report.partition,
                    opinion=report.opinion,
                    by=people["olivia"],
                )
            with clock_at(at(report.recorded + DAY, 14)):
                for system in systems:
                    record_reliance(
                        version,
                        system,
                        conclusion=report.conclusion,
                        scope_note="Services in use checked against the scope list.",
                        period_note="Period compared with the audit window.",
                        exceptions_note="No exception touches a control of ours.",
                        cuec_note="Complementary controls compared with ours.",
                        by=people["oscar"],
                    )
            for letter in report.letters:
                _letter(people, systems, version, letter)


def _letter(
    people: dict[str, User],
    systems: tuple[System, ...],
    version: ArtifactVersion,
    letter: company.DemoLetter,
) -> None:
    """Register a letter on its day, and accept it in each system on a later one."""
    with clock_at(at(letter.recorded, 10)):
        registered = register.add_letter(
            version,
            issued_on=letter.issued_on,
            ends=letter.issued_on,
            by=people["olivia"],
        )
    if letter.accepted_on is None:
        return
    with clock_at(at(letter.accepted_on, 15)):
        for system in systems:
            decide_letter(registered, system, decision="accept", by=people["oscar"])


def _provider_says(people: dict[str, User], system: System, day: dt.date) -> None:
    """Import a responsibility document that differs from our template in places."""
    with STATEMENTS.open("rb") as file:
        read = read_statements(file, STATEMENTS.name)
    with clock_at(at(day, 10)):
        adopt_document(
            system,
            read,
            title="AWS customer responsibility matrix",
            reference=f"issue of {day - 30 * DAY:%B %Y}",
            starts_on=day - 30 * DAY,
            by=people["olivia"],
            today=day,
        )


def _in_scope(systems: tuple[System, ...], left_out: tuple[str, ...]) -> list[str]:
    used = {
        component.variant.service.slug
        for system in systems
        for component in system.components.select_related("variant__service")
        if component.variant.service.provider == "aws"
    }
    return sorted(used - set(left_out))


def _play(
    system: System, people: dict[str, User], today: dt.date, chance: random.Random
) -> None:
    """A year of submissions and reviews in the order in which they happened."""
    requirements = list(
        EvidenceRequirement.objects.filter(system=system)
        .select_related(
            "implementation__control", "implementation__owner_team", "system"
        )
        .order_by("pk")
    )
    acts = [
        act
        for requirement in requirements
        for act in _acts(requirement, system, today, chance)
    ]
    links: dict[int, EvidenceLink] = {}
    for instant, kind, number in sorted(_happenings(acts, today)):
        with clock_at(instant):
            if kind == "submit":
                links[number] = _submit(acts[number], people, instant)
            else:
                _decide(links[number], acts[number], people, number)


def _happenings(
    acts: list[Act], today: dt.date
) -> Iterator[tuple[dt.datetime, str, int]]:
    end = at(today, 6)
    for number, act in enumerate(acts):
        if act.submitted < end:
            yield act.submitted, "submit", number
            if act.decided and act.decided < end:
                yield act.decided, "decide", number


def _acts(
    requirement: EvidenceRequirement,
    system: System,
    today: dt.date,
    chance: random.Random,
) -> Iterator[Act]:
    """What one requirement's team did: mostly on time, some late, some never."""
    if requirement.implementation.control.ref_id == company.LAPSED:
        yield from _lapsed(requirement, system, today)
        return
    mood = chance.random()
    if mood < 0.06:
        return  # nobody ever began
    lapses = mood < 0.16
    for start, end in _periods(requirement.cadence, system.window_start, today):
        if chance.random() < 0.05:
            continue  # missed
        if lapses and end > today - dt.timedelta(days=120):
            continue  # the team stopped
        late = chance.random() < 0.08
        offset = chance.randint(25, 40) if late else chance.randint(0, 3)
        performed = min(max(start, end - DAY * chance.randint(0, 4)), today - DAY)
        performed = min(performed + DAY * (offset if late else 0), today - DAY)
        submitted = at(performed + DAY * (0 if performed >= today - DAY else 1), 9)
        submitted += dt.timedelta(minutes=chance.randint(0, 400))
        waits = performed > today - dt.timedelta(days=25) and chance.random() < 0.4
        decided = None if waits else submitted + dt.timedelta(hours=20)
        yield Act(
            requirement,
            performed,
            start,
            max(end, performed) if late else end,
            submitted,
            decided,
            accepted=chance.random() > 0.05,
        )


def _lapsed(
    requirement: EvidenceRequirement, system: System, today: dt.date
) -> Iterator[Act]:
    """On time each month, and nothing in the last quarter: what the tour opens."""
    for start, end in _periods(requirement.cadence, system.window_start, today):
        if end < today - dt.timedelta(days=75):
            submitted = at(end, 9)
            decided = submitted + dt.timedelta(hours=20)
            yield Act(requirement, end, start, end, submitted, decided)


def _periods(
    cadence: str, first: dt.date, today: dt.date
) -> Iterator[tuple[dt.date, dt.date]]:
    """Calendar periods from the window's start that have begun; yearly: one, spread."""
    if cadence == "yearly":
        start = first
        yield start, start + dt.timedelta(days=(start.toordinal() * 7) % 60 + 90)
        return
    day = first
    while day <= today:
        start = occurrence_of(cadence, day) or day
        following = last_day(cadence, start) + DAY
        if following - DAY < today and start >= first:
            yield start, following - DAY
        day = following


def _submit(act: Act, people: dict[str, User], instant: dt.datetime) -> EvidenceLink:
    implementation = act.requirement.implementation
    team = act.requirement.owner_team or implementation.owner_team
    by = next(
        people[local]
        for local, _, _, slug in company.PEOPLE
        if team is not None and slug == team.slug
    )
    label = implementation.control.label
    said = Submission(
        title=f"{act.requirement.title}, {act.start:%B %Y} ({label})",
        performed_on=act.performed_on,
        period_start=act.start,
        period_end=max(act.end, act.performed_on),
        collected_on=act.performed_on,
        source_system="AWS console export",
        procedure="Exported by the team and checked against the last one.",
    )
    text = (
        f"{said.title}\nperformed {act.performed_on}\nsystem {act.requirement.system}\n"
    )
    name = f"{label.lower()}-{act.start:%Y-%m}.txt"
    upload = store(name, [text.encode()])
    return submit(
        said, [upload], requirement=act.requirement, by=by, today=instant.date()
    )


def _decide(link: EvidenceLink, act: Act, people: dict[str, User], number: int) -> None:
    if act.accepted:
        link.accept(by=people["rita"])
        return
    reasons = (
        "The export shows no date: add one with the system clock visible.",
        "Two of the listed accounts are missing from the extract.",
        "This is last period's file: upload this period's.",
    )
    link.reject(by=people["rita"], reason=reasons[number % len(reasons)])


def _statuses(system: System, chance: random.Random) -> None:
    """Some controls are not fully implemented yet."""
    ours = ControlImplementation.objects.filter(
        system=system, responsibility__in=["shared", "customer"]
    ).select_related("control")
    for implementation in ours.order_by("control__sort_order"):
        draw = chance.random()
        if draw > 0.1:
            continue
        parts = [part.statement_id for part in parts_of(implementation.control)]
        if draw > 0.05 and parts:  # only the last part is not finished
            implementation.part_statuses = {parts[-1]: "partial"}
            implementation.save(update_fields=["part_statuses"])
            continue
        implementation.implementation_status = "planned" if draw < 0.03 else "partial"
        implementation.save(update_fields=["implementation_status"])
