"""What lies in one system is at no address of another one (AC-01, AC-02).

Nor does a role in one system open anything of another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from controls.models import Role, ServiceVariant, System, Team
from evidence.systems.describe import Use, create_system
from tests import factories
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors, said_in_table, tried
from tests.access.world import World
from tests.evidence.house import person

# Of the register of reports, which all systems share: each decides for itself.
OF_ALL = {"evidence:remark_answer", "evidence:letter_decide", "evidence:reliance"}
NAMED = frozenset({"uuid", "token"})
OF_THE_SHOP = re.compile(r"\b(?:shop|Shop|Olivia|Alice|Rita|Raul|Audrey)\b")


@dataclass
class Elsewhere(World):
    """The objects of one system at the addresses of another."""

    slug: str = "other"

    def parts(self, view: str, wanted: set[str]) -> dict[str, Any]:
        """The other system's slug, whatever the object."""
        given = super().parts(view, wanted)
        return given | ({"slug": self.slug} if "slug" in given else {})


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    """One object of every kind in the shop, and a system of the same officer beside."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    made = worlds.build()
    shop = made.house.system
    other = System(
        baseline=shop.baseline,
        slug="other",
        name="Other",
        regime=shop.regime,
        impact_level=shop.impact_level,
        window_start=shop.window_start,
        window_end=shop.window_end,
    )
    s3 = ServiceVariant.objects.get(service__slug="s3", is_default=True)
    zoe = made.house.people["zoe"] = person("zoe")
    create_system(
        other,
        [Use(s3, other.window_start)],
        {"": Team.objects.get(slug="platform")},
        by=factories.administrator(),
        officer=zoe,
    )
    factories.give_role(made.house.olivia, other, Role.OFFICER)
    return made


def test_an_object_is_found_in_its_own_system_only(world) -> None:
    """AC-02: an officer of both finds it here and not there, on pages and by API."""
    there = Elsewhere(world.house, world.key, world.named, world.bodies)
    browser = browser_of(world, "olivia")
    nested = [
        door
        for door in doors()
        if {"slug"} < door.parts and NAMED & door.parts and door.view not in OF_ALL
    ]
    assert len(nested) > 40
    found = {
        (method, door.view): tried(browser, door, method, there)
        for door in nested
        for method in door.methods
    }
    # an address that takes forms only leads a browser to its page, which is not there
    # and what was previewed is known by a token that counts where it was made (409)
    gone = {"GET": {302, 404, 405}, "POST": {404, 405, 409}}
    wrong = {
        way: got for way, got in found.items() if got not in gone.get(way[0], {404})
    }
    assert not wrong, wrong


def test_an_officer_elsewhere_is_a_stranger_here(world) -> None:
    """AC-01, AC-02: what is of the shop is to its neighbour as if it were not; the
    register of reports, which all systems share, names nothing of it."""
    here, browser = said_in_table("nora"), browser_of(world, "zoe")
    found, names = {}, {}
    for door in doors():
        if not door.parts:
            continue
        for method in door.methods:
            found[method, door.view] = tried(browser, door, method, world)
        if found.get(("GET", door.view)) == 200:
            answer = browser.get(address(door, world))
            text = b"" if answer.streaming else answer.content
            names[door.view] = OF_THE_SHOP.findall(text.decode(errors="replace"))
    inside = {
        (method, door.view)
        for door in doors()
        if "slug" in door.parts and door.view not in OF_ALL
        for method in door.methods
    }
    wrong = {w: (got, here[w]) for w, got in found.items() if got != here[w]}
    assert not {way: wrong[way] for way in wrong if way in inside}
    assert len(wrong) < 110, wrong  # of the register
    assert not {view: found for view, found in names.items() if found}
