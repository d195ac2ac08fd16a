"""AWS's facts gathered in SQL agree with reports and bases read by hand."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from controls.models import ControlImplementation, System, User
from evidence.artifacts.letters import letter_standings
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.reviews import ReviewDecision
from evidence.status.gather import Moment, gather
from tests import factories

DAY = dt.date(2026, 9, 15)
DECIDED = {
    "accepted": "accepted",
    "rejected": "rejected",
    "waiting": "waiting",
    "with-report": "waiting",
}


def scatter_reports(system: System, by: User, seed: int) -> None:
    """Series, reports, letters, reviews and ends at random, cited at random."""
    chance = random.Random(seed)
    second = factories.make_user(f"reader-{seed}")
    third = factories.make_user(f"second-reader-{seed}")
    cited = [row.control.ref_id for row in system.implementations.all()]
    for number in range(3):
        series = factories.make_artifact(
            by,
            chance.sample(cited, chance.randint(1, len(cited))),
            series=f"series-{seed}-{number}",
            kind=chance.choice(["period", "certificate", "authorization"]),
        )
        for year in (2024, 2025):
            starts = dt.date(year, chance.randint(1, 12), 1)
            services = chance.sample(["ec2", "s3", "iam", "rds"], 2)
            ends = starts + dt.timedelta(days=chance.randint(90, 400))
            report = factories.make_report(series, starts, ends, services=services)
            for act in chance.choices(["letter", "review"], k=chance.randint(0, 5)):
                if act == "letter":
                    letter_of(report, system, (by, second, third), chance)
                else:
                    reviewed(report, system, second, chance)


def letter_of(
    report: ArtifactVersion,
    system: System,
    people: tuple[User, User, User],
    chance: random.Random,
) -> None:
    """A letter registered by one of the first two, decided on by the third or not."""
    ends = report.until + dt.timedelta(days=chance.randint(1, 90))
    registrar = chance.choice(people[:2])
    letter = ContinuityLetter.objects.create(
        artifact_version=report,
        registered_by=registrar,
        issued_on=ends,
        starts=report.until,
        until=ends,
    )
    if chance.random() < 0.3:
        LetterAcceptance.objects.create(
            letter=letter,
            system=system,
            reviewer=people[2],
            registered_by=registrar,
            report_registered_by=report.registered_by,
            decision=chance.choice(ReviewDecision.values),
            reason="As read",
            decided_on=DAY,
            reviewer_name=str(people[2]),
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
            standings = letter_standings(report.letters.all(), [row.system])
            letters = sorted((x.letter.issued_on, DECIDED[x.state]) for x in standings)
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
                tuple(sorted((x.issued_on, x.state) for x in each.letters)),
            )
            for each in facts.versions
        }
        assert said == reports_by_hand(row)
        needed = {(n.slug, layer) for n in facts.needed for layer in n.layers}
        assert needed == needs_by_hand(row)
        compared += len(said)
    assert compared
