"""Evidence that changed hands in every way there is, for the tests of independence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.test import Client

from controls.models import Role, User
from evidence.models import EvidenceLink, LinkState, RequirementControl, Review
from evidence.models.revisions import MAX_COMMON_BYTES
from evidence.submissions.revise import attach, newest, revise
from evidence.submissions.submit import submit, submit_draft
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, give, patch_report
from tests.evidence.per_event import bring, listed
from tests.factories import set_terms

REVIEWERS = ("alice", "bob", "olivia", "rita", "raul")
COMMON = "x" * MAX_COMMON_BYTES
OWN = "x" * (MAX_COMMON_BYTES + 1)


@dataclass
class World:
    """A house whose contributors review as well, and links by what happened to them."""

    house: House
    links: dict[str, EvidenceLink] = field(default_factory=dict)
    # who may decide each link, by name
    independent: dict[str, set[str]] = field(default_factory=dict)

    def person(self, name: str) -> User:
        """The account of a name; `root` is a superuser without a role."""
        return factories.administrator() if name == "root" else self.house.people[name]

    def add(self, name: str, link: EvidenceLink, *authors: str) -> EvidenceLink:
        """Remember a link and that everybody but its authors may decide it."""
        self.links[name] = link
        self.independent[name] = set(REVIEWERS) - set(authors)
        return link

    def decidable(self, name: str) -> set[str]:
        """The links, by name, that a person may decide."""
        return {link for link, who in self.independent.items() if name in who}


def build(settings: Any, tmp_path: Path) -> House:
    """The company with its own store, whose contributors review as well."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    for name in ("alice", "bob"):
        give(house, name, Role.REVIEWER)
    return house


def change_hands(client: Client, house: House) -> World:
    """Evidence that changed hands in every way there is."""
    world = World(house)
    for make in (_corrected, _collected, _handed_over, _attached, _same_bytes):
        make(world)
    _elsewhere(world)
    _as_population(world, client)
    return world


def upload(
    house: House, by: str, content: str, *, collector: str = "", draft: bool = False
) -> EvidenceLink:
    said = replace(
        patch_report(),
        collected_by=house.people[collector] if collector else None,
        draft=draft,
    )
    uploads = [store("report.txt", [content.encode()])]
    asked = house.requirement()
    return submit(said, uploads, requirement=asked, by=house.people[by], today=TODAY)


def _revise(
    house: House, link: EvidenceLink, by: str, content: str, kind: str = "correction"
) -> EvidenceLink:
    revision = revise(
        link.revision.evidence,
        patch_report(),
        [store("report.txt", [content.encode()])],
        kind=kind,
        reason="The first one was of the wrong account",
        by=house.people[by],
        today=TODAY,
    )
    return revision.links.get()


def _corrected(world: World) -> None:
    """Alice's evidence, corrected and added to by the officer."""
    house = world.house
    first = upload(house, "alice", "first")
    corrected = _revise(house, first, "olivia", "second")
    world.add("corrected", corrected, "alice", "olivia")
    first = upload(house, "alice", "base")
    world.add("added to", first, "alice", "olivia")
    added = _revise(house, first, "olivia", "more", kind="addition")
    world.add("addition", added, "alice", "olivia")


def _collected(world: World) -> None:
    """Rita took the first file out of its source; the correction does not say who."""
    house = world.house
    first = upload(house, "alice", "taken by rita", collector="rita")
    corrected = _revise(house, first, "alice", "taken again")
    assert corrected.revision.collected_by == house.rita
    world.add("collected", corrected, "alice", "rita")


def _handed_over(world: World) -> None:
    """Alice's draft, submitted by the officer."""
    house = world.house
    draft = upload(house, "alice", "draft", draft=True)
    submit_draft(draft, by=house.olivia)
    world.add("handed over", draft, "alice", "olivia")


def _attached(world: World) -> None:
    """The officer offers alice's evidence for one more control."""
    house = world.house
    link = world.add("for one", upload(house, "alice", "one"), "alice", "olivia")
    other = house.requirement("si-2")
    more = attach(newest(link.revision.evidence), requirement=other, by=house.olivia)
    world.add("for one more", more, "alice", "olivia")


def _same_bytes(world: World) -> None:
    """What alice submits, the officer submitted before, collected by raul."""
    house = world.house
    before = upload(house, "olivia", OWN, collector="raul")
    after = upload(house, "alice", OWN)
    world.add("bytes before", before, "olivia", "raul", "alice")
    world.add("bytes after", after, "olivia", "raul", "alice")
    before = upload(house, "olivia", COMMON)
    after = upload(house, "alice", COMMON)
    world.add("small bytes before", before, "olivia")
    world.add("small bytes after", after, "alice")


def _elsewhere(world: World) -> None:
    """Rita brought the same bytes to another system, of which she is officer."""
    house, content = world.house, "y" * 100
    other = factories.make_system(house.rita, slug="elsewhere", team=house.team)
    asked = factories.requirement(other, "si-2")
    uploads = [store("report.txt", [content.encode()])]
    submit(patch_report(), uploads, requirement=asked, by=house.rita, today=TODAY)
    world.add("bytes elsewhere", upload(house, "alice", content), "alice")


def _as_population(world: World, client: Client) -> None:
    """The officer brought the same file as a list of events."""
    house = world.house
    asked = house.requirement("ac-1")
    set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="per-event")
    client.force_login(house.olivia)
    bring(client, asked, list=file("changes.csv", listed()))
    link = upload(house, "alice", listed().decode())
    world.add("bytes of a population", link, "alice", "olivia")


def accepted(link: EvidenceLink) -> None:
    """The link as accepted by somebody who has no other part in the test."""
    link = EvidenceLink.objects.get(pk=link.pk)
    email = "second@example.com"
    reviewer = User.objects.filter(email=email).first()
    reviewer = reviewer or factories.make_user("second")
    review = Review.of(link, decision="accept", by=reviewer, reason="")
    review.save(force_insert=True)
    EvidenceLink.objects.filter(pk=link.pk).update(state=LinkState.ACCEPTED)
