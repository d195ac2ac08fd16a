"""What is measured, on which rows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.upload_cost import measure_upload_cost
from bench.uploads import measure_uploads
from controls.models import (
    Baseline,
    ImplementationStatement,
    ServiceVariant,
    System,
    Team,
    User,
)
from evidence.exports import jobs
from evidence.models import Evidence, EvidenceLink, EvidenceRevision, Proof
from evidence.status.cadence import occurrence_of
from evidence.status.control_status import control_statuses, now, window_of
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from evidence.systems.describe import Use, create_system

Timed = Callable[..., None]
DAY = dt.date(2026, 11, 23)
SERVICES = ("ec2", "ebs", "vpc", "s3", "dynamodb", "lambda", "rds", "kms", "iam", "elb")


def describe(slug: str, baseline: str, by: User) -> System:
    """A system on ten services."""
    system = System(
        baseline=Baseline.objects.get(slug=baseline),
        slug=slug,
        name=slug,
        regime="soc2",
        impact_level="high",
        window_start=dt.date(2026, 1, 1),
        window_end=dt.date(2026, 12, 31),
    )
    variants = ServiceVariant.objects.filter(
        service__slug__in=SERVICES, is_default=True
    )
    uses = [Use(v, dt.date(2025, 1, 1), regions=["us-east-1"]) for v in variants]
    team, _ = Team.objects.get_or_create(name="Bench", slug="bench")
    create_system(system, uses, {"": team}, by=by, asked_from=system.window_start)
    ImplementationStatement.objects.bulk_create(
        ImplementationStatement(
            implementation=control, days=(None, None), status="implemented"
        )
        for control in system.implementations.all()
    )
    return system


def fill(system: System, by: User, links: int) -> None:
    """Accepted links spread evenly over the requirements and over two years."""
    requirements = list(system.requirements.select_related("implementation"))
    team = Team.objects.get(slug="bench")
    first = dt.date(2025, 1, 1)
    days = [first + dt.timedelta(days=n % 680) for n in range(links)]
    evidence = Evidence.objects.bulk_create(
        [
            Evidence(system=system, team=team, created_by=by, title=f"E {n}")
            for n in range(links)
        ],
        batch_size=5000,
    )
    revisions = EvidenceRevision.objects.bulk_create(
        [
            EvidenceRevision(
                evidence=one_evidence,
                uploaded_by=by,
                uploaded_at=dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC),
                performed_on=day,
                period_from=day,
                period_until=day + dt.timedelta(days=1),
                collected_on=day,
                digest="0" * 64,
            )
            for one_evidence, day in zip(evidence, days, strict=True)
        ],
        batch_size=5000,
    )
    rows = EvidenceLink.objects.bulk_create(
        [
            EvidenceLink(
                system=system,
                revision=revision,
                implementation=requirement.implementation,
                requirement=requirement,
                submitted_by=by,
                state="accepted",
                occurrence=occurrence_of(requirement.cadence, revision.performed_on),
                proves_from=revision.performed_on,
                proves_to=revision.performed_on + dt.timedelta(days=100),
            )
            for revision, requirement in zip(
                revisions, itertools.cycle(requirements), strict=False
            )
        ],
        batch_size=5000,
    )
    Proof.objects.follow_all([row.pk for row in rows])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would


def measure(timed: Timed, *, links: int, few: int) -> None:
    """Print every figure that the README promises; without `links`, those of a system
    with `few` alone."""
    by = User.objects.create_superuser("bench@example.com", "x")
    count = itertools.count()
    for slug, name in (("nist-high", "NIST HIGH (370"), ("nist-all", "NIST (1,014")):
        timed(
            f"system on {name} controls) created",
            lambda slug=slug: describe(f"{slug}-{next(count)}", slug, by),
            times=3,
        )
    listed = describe("listed", "fedramp-high", by)
    fill(listed, by, few)
    client = Client()
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    page = f"/systems/{listed.slug}/controls/"
    client.get(page, headers={"host": "localhost"})  # the session is renewed once
    with CaptureQueriesContext(connection) as queries:
        client.get(page, headers={"host": "localhost"})
    timed(
        f"control list, 100 rows, {few} links, {len(queries)} queries",
        lambda: client.get(page, headers={"host": "localhost"}),
    )
    if not links:
        _export(timed, listed, by)
        return
    for slug, baseline in (("high", "fedramp-high"), ("all", "nist-all")):
        system = describe(slug, baseline, by)
        fill(system, by, links)
        _facts(timed, system, links)
    _export(timed, listed, by)
    measure_uploads(listed, by, DAY.isoformat(), print)
    measure_upload_cost(listed, by, DAY.isoformat(), print)


def _facts(timed: Timed, system: System, links: int) -> None:
    pks = list(system.implementations.values_list("pk", flat=True))
    size = f"{len(pks)} controls, {links} links"
    start, end = window_of(system)
    moments: list[tuple[str, Any]] = [("now", None), ("as known at", now())]
    for name, known_at in moments:
        moment = Moment(DAY, known_at)
        timed(f"facts {name}, {size}", lambda m=moment: gather(system, pks, m))
    timed(
        f"facts of a 12-month window, {size}",
        lambda: gather_period(system, pks, start, end, Moment(DAY)),
        times=5,
    )
    timed(f"answers, {size}", lambda: control_statuses(system, Moment(DAY)), times=5)


def _export(timed: Timed, system: System, by: User) -> None:
    def make() -> None:
        export = jobs.request_export(system, by=by, on=DAY)
        jobs.make_export(export.pk)

    timed("CSV export of 410 controls", make, times=3)
