"""A database of the version before asks had terms, migrated: what was gathered from it
stays, and a command lists what the new rules answer otherwise (R31, R35).

`before/` holds a dump that the version before wrote itself, with something of every
kind that it recorded, and the facts and verdicts that it gathered then, about three
days, as known at three instants and today.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from controls.history.clock import clock_at
from controls.models import System
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period

BEFORE = Path(__file__).parent / "before"
UPGRADED = dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)
WINDOW = (dt.date(2026, 1, 1), dt.date(2026, 8, 31))
ABOUT = dt.date(2026, 9, 15)
Facts = dict[str, Any]
# Of a window the version before read fewer links and populations: of one occurrence the
# first link sufficed, and what a window cuts at its start was not looked at.
MORE_IS_READ_NOW = ("requirements[].links", "requirements[].populations")
# What the version before did not gather: it wrote 0, and now there is a list of none.
NOT_GATHERED_BEFORE = (".contradicted",)


def plain(value: Any) -> Any:
    """A fact as JSON has it, the way the version before wrote its own."""
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dt.date | dt.datetime):
        return str(value)
    return value


def before() -> Facts:
    body = gzip.decompress((BEFORE / "answers.json.gz").read_bytes())
    answers: Facts = json.loads(body)
    return answers


@pytest.fixture
def upgraded(owner_dsn: str, transactional_db: None) -> Iterator[System]:
    """The database of the version before, brought to this one by `migrate`."""
    kept = dict(connections["default"].settings_dict)
    name = f"{kept['NAME']}_before"
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        owner.execute(f"CREATE DATABASE {name}")
    dump = gzip.decompress((BEFORE / "database.sql.gz").read_bytes()).decode()
    dsn = psycopg.conninfo.make_conninfo(owner_dsn, dbname=name)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(dump.encode())
    assert settings.DATABASE_OWNER
    role = {key: settings.DATABASE_OWNER[key] for key in ("USER", "PASSWORD")}
    connections["default"].close()
    connections["default"].settings_dict.update(role | {"NAME": name})
    try:
        with clock_at(UPGRADED):
            call_command("migrate", verbosity=0, interactive=False)
        yield System.objects.get(slug="ledger")
    finally:
        connections["default"].close()
        connections["default"].settings_dict.update(kept)
        with psycopg.connect(owner_dsn, autocommit=True) as owner:
            owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def moment(of: Facts) -> Moment:
    known = of["known_at"]
    on = dt.date.fromisoformat(of.get("on", str(ABOUT)))
    return Moment(on, dt.datetime.fromisoformat(known) if known else None)


def _name(row: Facts) -> str:
    return str(row.get("link") or row.get("uuid"))


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where a fact of both versions says something else, by its path."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old.keys() & new.keys():
            yield from differences(old[name], new[name], f"{path}.{name}")
    elif isinstance(old, list) and isinstance(new, list):
        if path.endswith(MORE_IS_READ_NOW):
            new = [row for row in new if _name(row) in {_name(each) for each in old}]
        if len(old) != len(new):
            yield path, old, new
        for mine, theirs in zip(old, new, strict=False):
            yield from differences(mine, theirs, f"{path}[]")
    elif path.endswith(NOT_GATHERED_BEFORE) and (old, new) == (0, []):
        return
    elif old != new:
        yield path, old, new


def all_differences(upgraded: System, facts: list[Facts], read: Any) -> list[Any]:
    """Of all controls, and of each moment that the version before answered for."""
    keys = dict(upgraded.implementations.values_list("pk", "control__ref_id"))
    found = []
    for of in facts:
        new = {keys[pk]: plain(row) for pk, row in read(list(keys), moment(of)).items()}
        assert new.keys() == of["controls"].keys()
        found += [(of["known_at"], *each) for each in differences(of["controls"], new)]
    return found


def test_every_gathered_fact_stays(upgraded):
    """R35: to the byte, about three days and a window, as known then and today."""
    answers = before()

    def of_a_day(keys: list[int], at: Moment) -> Any:
        return gather(upgraded, keys, at).facts

    def of_a_window(keys: list[int], at: Moment) -> Any:
        return gather_period(upgraded, keys, *WINDOW, at)

    assert len(answers["facts"]) == 12
    assert all_differences(upgraded, answers["facts"], of_a_day) == []
    assert all_differences(upgraded, answers["periods"], of_a_window) == []


def test_populations_and_links_are_all_read(upgraded):
    """R35: a population that stood alone in the facts stands among those read now."""
    keys = dict(upgraded.implementations.values_list("pk", "control__ref_id"))
    met = 0
    for of in before()["facts"]:
        new = gather(upgraded, list(keys), moment(of)).facts
        for pk, ref_id in keys.items():
            rows = {row.uuid: row for row in new[pk].requirements}
            for asked in of["controls"][ref_id]["requirements"]:
                if (old := asked["population"]) is None:
                    continue
                now = {p.uuid: plain(p) for p in rows[asked["uuid"]].populations}
                assert list(differences(old, now[old["uuid"]])) == []
                met += 1
    assert met > 10


def verdicts(upgraded: System, at: Moment) -> dict[str, list[str]]:
    """What the rules of today answer, as the version before wrote down its own."""
    return {
        answer.implementation["ref_id"]: [
            answer.status.verdict,
            answer.status.customer_half,
            answer.status.aws_half,
            answer.period.result if answer.period else "",
        ]
        for answer in control_statuses(upgraded, at)
    }


def test_the_command_lists_what_the_new_rules_answer_otherwise(upgraded):
    """R35: at each moment the controls of which the version before itself said
    something else, and no other."""
    listed_ever = set()
    for of in before()["verdicts"]:
        at = moment(of)
        new = verdicts(upgraded, at)
        otherwise = {ref for ref, old in of["verdicts"].items() if new[ref] != old}
        out = io.StringIO()
        known_at = ["--known-at", of["known_at"] or str(UPGRADED)]
        call_command(
            "rules_changed", upgraded.slug, "--as-of", str(at.on), *known_at, stdout=out
        )
        lines = out.getvalue().splitlines()
        listed = {line.split()[0] for line in lines if " -> " in line}
        assert otherwise <= listed, (of["on"], of["known_at"])
        assert all("(R" in line for line in lines if " -> " in line)
        listed_ever |= otherwise
    assert "ac-1" in listed_ever  # a population of some days no longer proves a year


def test_what_somebody_said_of_a_control_goes_on(upgraded):
    """R28, R31: the day of the upgrade changes no status that a person set."""
    keys = dict(upgraded.implementations.values_list("pk", "control__ref_id"))
    day = UPGRADED.date()

    def statuses(on: dt.date) -> dict[str, str]:
        facts = gather(upgraded, list(keys), Moment(on)).facts
        return {keys[pk]: row.implementation_status for pk, row in facts.items()}

    last = before()["facts"][-1]
    assert (last["on"], last["known_at"]) == ("2026-11-29", "")
    old = {ref: row["implementation_status"] for ref, row in last["controls"].items()}
    assert old["ac-2"] == "partial"
    assert statuses(day - dt.timedelta(days=1)) == statuses(day) == old
