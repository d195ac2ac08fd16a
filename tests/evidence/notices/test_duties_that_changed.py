"""R31: a team that acknowledged its duties is told when they change, until it
acknowledges them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.models import Notice
from evidence.systems.acknowledgements import acknowledge, duties_today
from evidence.systems.describe import Use, add_component
from tests.evidence.house import House
from tests.evidence.notices import telling
from tests.evidence.notices.telling import told
from tests.factories import variant
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
KIND = "duties-changed"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    """Team Platform has acknowledged what it has to do in Shop."""
    house = telling.build(settings, tmp_path)
    _acknowledged(house)
    return house


def _acknowledged(house: House) -> None:
    (platform,) = duties_today(house.system)
    acknowledge(house.system, house.team, platform.digest, by=house.alice)


def _changed(house: House, service: str = "lambda") -> None:
    use = Use(variant(service), TODAY, regions=["us-east-1"])
    add_component(house.system, use, by=house.olivia, today=TODAY)


def test_the_team_alone_is_told_once_and_it_ends_with_its_word(house):
    """Bob is of another team, the officer of none."""
    assert told(house, "alice", KIND) == []
    _changed(house)
    (sentence,) = told(house, "alice", KIND)
    assert sentence.startswith(
        "The duties of Platform changed since it acknowledged them: "
    )
    assert " new, 0 gone." in sentence
    assert told(house, "alice", KIND) == [sentence]
    for name in ("bob", "olivia", "rita"):
        assert told(house, name, KIND) == []
    notice = Notice.objects.get(kind=KIND)
    assert notice.path.startswith("/systems/shop/matrix/?team=Platform")
    _acknowledged(house)
    assert told(house, "alice", KIND) == []


def test_other_duties_again_are_told_again(house):
    """What changes twice before anybody read it is told as it is now."""
    _changed(house)
    first = told(house, "alice", KIND)
    _changed(house, "rds")
    second = told(house, "alice", KIND)
    assert len(second) == 1
    assert second != first


def test_who_never_acknowledged_is_not_told_of_a_change(settings, tmp_path):
    """There is nothing that it could differ from: the page asks."""
    house = telling.build(settings, tmp_path)
    _changed(house)
    assert told(house, "alice", KIND) == []
