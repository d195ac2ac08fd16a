"""A row of each noun in each of its states, made by the verbs that lead there.

People are those of `tests.evidence.house`; besides, oscar and otto are officers.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from controls.models import Role
from evidence.files.spill_removal import decide_removal, request_removal
from evidence.models import EvidenceLink
from evidence.submissions.revise import revise
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, patch_report

NUMBER = count(1)


def build(settings: Any, tmp_path: Path) -> House:
    """The company with its own store and three officers: olivia, oscar and otto."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    for name in ("oscar", "otto"):
        house.people[name] = houses.person(name)
        give(house, name, Role.OFFICER)
    house.requirement()
    return house


def person(house: House, name: str) -> Any:
    """The account of a name; `admin` is a superuser."""
    return factories.administrator() if name == "admin" else house.people[name]


def link(house: House, state: str) -> EvidenceLink:
    """Evidence of alice's for CM-8, whose link stands there."""
    made = submit(
        replace(patch_report(), draft=state == "draft"),
        [store("report.txt", [b"patched %d" % next(NUMBER)])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    if state == "accepted":
        made.accept(by=house.rita)
    elif state == "rejected":
        made.reject(by=house.rita, reason="It shows one host.")
    elif state == "withdrawn":
        made.withdraw(by=house.alice, reason="The wrong month.")
    elif state == "void":
        revise(
            made.revision.evidence,
            patch_report(),
            [store("report.txt", [b"patched anew %d" % next(NUMBER)])],
            kind="correction",
            reason="The first one was of the wrong host.",
            by=house.alice,
            today=TODAY,
        )
    elif state == "removed":
        removal = request_removal(made.revision.files.get(), reason="A name.",
                                  by=house.oscar)  # fmt: skip
        decide_removal(removal, approve=True, by=house.otto)
    made.refresh_from_db()
    assert made.state == {"removed": "withdrawn"}.get(state, state)
    return made
