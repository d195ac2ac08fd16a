"""AC-08: what the proof table says can be recomputed from the links and compared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command

from controls.models import AuditEvent
from evidence.models import EvidenceLink, Proof
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.submissions.submit import withdraw
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, submitted

DAY = dt.timedelta(days=1)


@pytest.fixture
def house(transactional_db, settings, tmp_path: Path) -> House:
    """Links in every state, by terms that changed and will change again."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    asked = house.requirement()
    submitted(house, "one", requirement=asked).accept(by=house.rita)
    wrong = submitted(house, "two", requirement=asked)
    wrong.reject(by=house.rita, reason="No date on it")
    drawn_back = submitted(house, "three", requirement=asked)
    withdraw(drawn_back, by=house.alice, reason="Wrong file")
    submitted(house, "four", requirement=asked)
    for cadence, first_day in (("quarterly", TODAY), ("weekly", TODAY + 30 * DAY)):
        change_requirement(
            asked,
            replace(NewTerms.stated_by(asked), cadence=cadence, grace_days=2),
            version=None,
            by=house.olivia,
            today=TODAY,
            from_day=first_day,
            reason="Asked by the auditor",
        )
        asked.refresh_from_db()
    submitted(house, "five", requirement=asked).accept(by=house.rita)
    return house


def exit_code(*options: str) -> int:
    """Of the command; 0 where it just returns."""
    try:
        call_command("proof_check", *options)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def current(link: EvidenceLink) -> list[tuple[dt.date, dt.date]]:
    rows = Proof.objects.filter(link=link, known_until=None).order_by("holds_from")
    return list(rows.values_list("holds_from", "ends"))


def test_links_in_every_state_agree_with_their_rows(house, capsys):
    states = set(EvidenceLink.objects.values_list("state", flat=True))
    assert states == {"accepted", "rejected", "withdrawn", "submitted"}
    assert exit_code() == 0
    assert "1 system checked, 0 differences found." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ends": dt.date(2030, 1, 1)}, "recorded: accepted, 2026-11-23 to 2030-01-01"),
        ({"starts": TODAY - 90 * DAY}, "recorded: accepted, 2026-08-25"),
        ({"known_until": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}, "missing: accepted"),
    ],
)
def test_a_row_changed_by_hand_is_named_and_repaired_by_the_owner_only(
    house, as_owner, capsys, changed, told
):
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    before = current(link)
    Proof.objects.filter(link=link, known_until=None).update(**changed)
    assert exit_code() == 1
    printed = capsys.readouterr().out
    assert f"shop CM-8 link {link.uuid} {told}" in printed
    assert exit_code("--repair") == 2
    assert "needs the owner role" in capsys.readouterr().err
    with as_owner():
        assert exit_code("--repair") == 0
    assert current(link) == before
    assert exit_code() == 0
    event = AuditEvent.objects.get(verb="proof.repaired")
    assert event.chain == str(house.system.uuid)


def test_what_was_known_before_a_repair_stays_as_it_was_answered(house, as_owner):
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    wrong = Proof.objects.filter(link=link, known_until=None)
    wrong.update(ends=TODAY)
    pks = list(wrong.values_list("pk", flat=True))
    with as_owner():
        exit_code("--repair")
    closed = Proof.objects.filter(pk__in=pks).exclude(known_until=None)
    assert list(closed.values_list("ends", flat=True)) == [TODAY] * len(pks)


def test_a_system_that_is_not_there_is_wrong_use(house, capsys):
    assert exit_code("nowhere") == 2
    assert "There is no system “nowhere”." in capsys.readouterr().err
