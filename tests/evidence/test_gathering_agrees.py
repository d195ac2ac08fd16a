"""Facts of many controls gathered in SQL agree with one control read by hand."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from controls.models import ControlImplementation, System, User
from evidence.facts import Moment, gather
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    EvidenceLink,
    LinkState,
    Proof,
    RelianceConclusion,
    RelianceReview,
)
from tests import factories

DAY = dt.date(2026, 9, 15)
STATES = [LinkState.ACCEPTED, LinkState.SUBMITTED, LinkState.REJECTED, LinkState.DRAFT]


def scatter(system: System, by: User, seed: int) -> None:
    """Links in random states on random days, over all requirements."""
    chance = random.Random(seed)
    for asked in system.requirements.select_related("implementation__system"):
        for number in range(chance.randint(0, 5)):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=chance.randint(0, 320))
            link = factories.make_evidence(
                asked, by=by, performed_on=day, title=f"{asked.pk} {number}"
            )
            state = chance.choice(STATES)
            EvidenceLink.objects.filter(pk=link.pk).update(state=state)
            Proof.objects.follow(link)


def by_hand(system: System) -> dict[str, tuple[str | None, int]]:
    """The best accepted link and the number waiting, read row by row."""
    found = {}
    for asked in system.requirements.all():
        rows = [link for link in asked.links.all() if link.proves_from <= DAY]
        accepted = [link for link in rows if link.state == LinkState.ACCEPTED]
        best = max(
            accepted,
            key=lambda link: (link.proves_to or dt.date.max, link.proves_from, link.pk),
            default=None,
        )
        waiting = sum(link.state == LinkState.SUBMITTED for link in rows)
        found[str(asked.uuid)] = (str(best.uuid) if best else None, waiting)
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_both_ways_find_the_same(system: System, oscar: User, seed: int) -> None:
    scatter(system, oscar, seed)
    pks = list(system.implementations.values_list("pk", flat=True))
    gathered = gather(system, pks, Moment(DAY))
    found = {
        asked.uuid: (
            asked.latest_accepted.link if asked.latest_accepted else None,
            asked.submitted,
        )
        for facts in gathered.facts.values()
        for asked in facts.requirements
    }
    assert found == by_hand(system)
    for pk in pks[:5]:
        assert gather(system, [pk], Moment(DAY)).facts[pk] == gathered.facts[pk]


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow(
    system: System, oscar: User, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    pks = list(system.implementations.values_list("pk", flat=True))
    with django_assert_num_queries(7):
        gather(system, pks[:1], Moment(DAY))
    scatter(system, oscar, 1)
    with django_assert_num_queries(7):
        gather(system, pks, Moment(DAY))


def scatter_reports(system: System, by: User, seed: int) -> None:
    """Series, reports, letters, reviews and ends at random, cited at random."""
    chance = random.Random(seed)
    second = factories.make_user(f"reader-{seed}")
    cited = [row.control.ref_id for row in system.implementations.all()]
    for number in range(3):
        series = factories.make_artifact(
            by,
            chance.sample(cited, chance.randint(1, len(cited))),
            series=f"series-{number}",
            kind=chance.choice(["period", "certificate", "authorization"]),
        )
        for year in (2024, 2025):
            starts = dt.date(year, chance.randint(1, 12), 1)
            services = chance.sample(["ec2", "s3", "iam", "rds"], 2)
            ends = starts + dt.timedelta(days=chance.randint(90, 400))
            report = factories.make_report(series, starts, ends, services=services)
            for _ in range(chance.randint(0, 2)):
                letter_of(report, chance.randint(1, 90))
            for _ in range(chance.randint(0, 2)):
                reviewed(report, system, second, chance)


def letter_of(report: ArtifactVersion, days: int) -> None:
    ends = report.until + dt.timedelta(days=days)
    ContinuityLetter.objects.create(
        artifact_version=report, issued_on=ends, starts=report.until, until=ends
    )


def reviewed(
    report: ArtifactVersion, system: System, by: User, chance: random.Random
) -> None:
    RelianceReview.objects.create(
        artifact_version=report,
        system=system,
        reviewer=by,
        registered_by=report.registered_by,
        conclusion=chance.choice(RelianceConclusion.values),
        reviewed_on=DAY,
        reviewer_name=str(by),
    )


Said = dict[str, tuple[object, ...]]


def reports_by_hand(row: ControlImplementation) -> Said:
    """The reports cited for a control, read row by row."""
    found: Said = {}
    for coverage in row.control.coverage.all():
        for report in coverage.artifact.versions.all():
            reviews = report.reliance_reviews.filter(system=row.system)
            newest = max(reviews, key=lambda each: each.pk, default=None)
            letters = sorted((x.issued_on, x.starts) for x in report.letters.all())
            found[str(report.uuid)] = (
                report.starts,
                report.last_day,
                frozenset(report.service_slugs),
                newest.conclusion if newest else None,
                tuple(letters),
            )
    return found


def needs_by_hand(row: ControlImplementation) -> set[tuple[str, str]]:
    """The services in use that make AWS a party, with the layers' names."""
    assert row.decision
    body = row.decision.basis.body
    used = {each.variant.service.slug for each in row.system.components.all()}
    return {
        (each["component"], each["layer"])
        for each in body
        if each["party"] == "aws" and each["component"] in used
    }


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_aws_half_is_found_the_same_both_ways(
    system: System, oscar: User, seed: int
) -> None:
    scatter_reports(system, oscar, seed)
    rows = list(system.implementations.select_related("decision__basis", "control"))
    gathered = gather(system, [row.pk for row in rows], Moment(DAY))
    compared = 0
    for row in rows:
        facts = gathered.facts[row.pk].aws
        if facts is None:
            assert row.responsibility not in {"inherited", "shared"}
            continue
        said = {
            each.uuid: (
                each.starts,
                each.ends,
                each.services_in_scope,
                each.reliance,
                tuple((x.issued_on, x.starts) for x in each.letters),
            )
            for each in facts.versions
        }
        assert said == reports_by_hand(row)
        needed = {(n.slug, layer) for n in facts.needed for layer in n.layers}
        assert needed == needs_by_hand(row)
        compared += len(said)
    assert compared
