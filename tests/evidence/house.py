"""A small company for the stories about evidence: one system, four controls.

olivia is its officer, alice proves for the platform team, bob for another team, rita
and raul review, audrey audits, ray reads, mallory belongs to nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.core.files.uploadedfile import SimpleUploadedFile

from controls.models import (
    Baseline,
    BaselineControl,
    Control,
    Engagement,
    Membership,
    Role,
    ServiceVariant,
    System,
    Team,
    User,
)
from evidence.models import EvidenceLink, RequirementControl
from evidence.storage import open_store
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import checked_upload, store
from evidence.systems.describe import Use, create_system
from tests.factories import (
    administrator,
    give_installation_roles,
    set_terms,
    state_implemented,
)
from tests.one_day import BEGINS, TODAY

CONTROLS = ("ac-1", "cm-8", "pe-3", "si-2")


@dataclass
class House:
    """What a story needs: people by name, the system, its teams."""

    system: System
    team: Team
    other_team: Team
    people: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def requirement(self, ref_id: str = "cm-8") -> RequirementControl:
        """What is asked first for one control; made monthly so that days can be
        counted."""
        of_control = RequirementControl.objects.filter(
            system=self.system, implementation__control__ref_id=ref_id
        )
        found = of_control.order_by("pk")[0]
        set_terms(
            RequirementControl.objects.filter(pk=found.pk),
            cadence="monthly",
            grace_days=10,
        )
        found.refresh_from_db()
        return found


def person(name: str) -> User:
    """An account that can sign in."""
    return User.objects.create_user(f"{name}@example.test", name=name.title())


def give(house: House, name: str, role: Role, **fields: object) -> None:
    """Let a person in, from an hour ago."""
    start = BEGINS - dt.timedelta(hours=1)
    Membership.objects.create(
        system=house.system,
        user=house.people[name],
        role=role,
        starts_at=start,
        **fields,
    )


def build() -> House:
    """The company, of which olivia is the officer."""
    catalog_controls = Control.objects.filter(ref_id__in=CONTROLS)
    catalog = catalog_controls[0].catalog
    # Reference data outlives transactional tests.
    baseline, made = Baseline.objects.get_or_create(
        slug="four", defaults={"catalog": catalog, "title": "Four"}
    )
    BaselineControl.objects.bulk_create(
        BaselineControl(baseline=baseline, control=control)
        for control in catalog_controls
        if made
    )
    names = ("olivia", "alice", "bob", "rita", "raul", "audrey", "ray", "mallory")
    people = {name: person(name) for name in names}
    team = Team.objects.create(name="Platform", slug="platform")
    other = Team.objects.create(name="Data", slug="data")
    system = System(
        baseline=baseline,
        slug="shop",
        name="Shop",
        regime="soc2",
        impact_level="moderate",
        window_start=TODAY - dt.timedelta(days=400),
        window_end=TODAY + dt.timedelta(days=40),
    )
    variants = ServiceVariant.objects.filter(
        service__slug__in=["s3", "ec2"], is_default=True
    )
    uses = [Use(variant, system.window_start) for variant in variants]
    root = administrator()
    create_system(
        system,
        uses,
        {"": team},
        by=root,
        officer=people["olivia"],
        asked_from=system.window_start,
    )
    state_implemented(system)
    give_installation_roles(people["olivia"])
    house = House(system, team, other, people)
    give(house, "alice", Role.CONTRIBUTOR, team=team)
    give(house, "bob", Role.CONTRIBUTOR, team=other)
    give(house, "rita", Role.REVIEWER)
    give(house, "raul", Role.REVIEWER)
    give(house, "ray", Role.READER)
    audit = Engagement.objects.create(
        system=system,
        title="SOC 2",
        kind="type2",
        firm="Firm",
        window_start=system.window_start,
        window_end=system.window_end,
    )
    end = BEGINS + dt.timedelta(days=30)
    give(house, "audrey", Role.AUDITOR, engagement=audit, ends_at=end)
    return house


def patch_report() -> Submission:
    """What alice says of evidence performed today, about this month."""
    return Submission(
        title="Patch report",
        performed_on=TODAY,
        period_start=TODAY.replace(day=1),
        period_end=TODAY,
        collected_on=TODAY,
    )


def submitted(
    house: House, text: str = "proof", *, requirement: RequirementControl | None = None
) -> EvidenceLink:
    """Evidence that alice submitted today, about this month."""
    return submit(
        patch_report(),
        [store("report.txt", [text.encode()])],
        requirement=requirement or house.requirement(),
        by=house.alice,
        today=TODAY,
    )


def submitted_as_it_comes(
    asked: RequirementControl, by: User, text: str = "proof"
) -> EvidenceLink:
    """As a form does it: the bytes come in under a temporary name."""
    incoming = open_store().begin(limit=1_000_000)
    try:
        incoming.write(text.encode())
        upload = checked_upload("report.txt", incoming)
        return submit(
            patch_report(),
            [upload],
            requirement=asked,
            by=by,
            today=TODAY,
        )
    finally:
        incoming.close()


def file(name: str = "report.txt", content: bytes = b"patched") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content)
