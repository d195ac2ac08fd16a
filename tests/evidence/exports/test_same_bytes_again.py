"""R31, R35, AU-10: a file asked for again by its own clocks has the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from controls import clock
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, open_file, request_export
from evidence.models import Export
from tests.evidence.exports import everything, on_the_way
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path)


def made(house: House, format_name: str, first: Export | None = None) -> Export:
    export = request_export(
        house.system,
        by=house.ray,
        on=TODAY,
        known_at=first and first.known_at,
        format_name=format_name,
    )
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    return export


def bytes_of(export: Export) -> bytes:
    with open_file(export) as file:
        return file.read()


@pytest.mark.parametrize("format_name", FORMATS)
def test_whatever_changes_afterwards_in_the_same_minute(house, format_name) -> None:
    """Judgements, terms, an override, a newer report, and every name."""
    first = made(house, format_name)
    everything.change_everything(house)
    assert clock.now() - first.requested_at < everything.DAY / 24 / 60
    again = made(house, format_name, first)
    assert bytes_of(again) == bytes_of(first)
    assert again.sha256 == first.sha256
    assert bytes_of(made(house, format_name)) != bytes_of(first)


def test_what_changes_while_it_is_written_is_not_in_it(house, monkeypatch) -> None:
    """All rows are of one state of the database."""
    first = made(house, "csv")
    on_the_way.after_two_lines(monkeypatch, lambda: everything.change_everything(house))
    assert bytes_of(made(house, "csv", first)) == bytes_of(first)
