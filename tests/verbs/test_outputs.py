"""AC-11, R31, R32: what each verb of an export, a token, a legal hold and a table of
numbers answers from each state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from controls.accounts.tokens import make_token, revoke_token
from controls.models import Crosswalk, Role, TokenScope, User
from evidence.exports.files import folder
from evidence.exports.jobs import request_export
from evidence.files.legal_holds import lift_hold, place_hold
from evidence.models import Export, LegalHold
from tests.evidence import house as houses
from tests.evidence.house import House, give
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
SENTENCES = {
    "meanwhile": "since you sent this file, and this would end it.",
    "gone": "There is no such",
    "unfinished": "The export is not finished",
    "finished": "The export is already finished.",
    "was-stopped": "This export was stopped",
    "failed": "This export failed",
    "no-file": "This export has no file.",
    "expired": "This export has expired.",
    "was-deleted": "The file of this export was deleted.",
    "file-gone": "The file of this export is gone.",
    "not-yours": "The file of an export is for who asked for it.",
    "only-closing": "Only what is kept at a closing is made again.",
    "signed-out": "Authentication credentials were not provided.",
    "lifted-by": "Otto has already lifted this.",
    "another-lifts": "Another officer must lift this: you placed it.",
    "is-lifted": "Otto, 2026-11-23: Over.",
    "say-why": "Why it need not be kept any longer",
    "sent-again": "This preview is no longer there: send the file again.",
}
# A cell says where the export stands.
EXPORTS = """
verb    door  queued            running           done              failed            cancelled         expired           deleted           lost              foreign        left
take    page  409 unfinished    409 unfinished    =done             409 failed        409 was-stopped   410 expired       410 was-deleted   410 file-gone     403 not-yours  404 gone
take    api   409 unfinished    409 unfinished    =done             409 failed        409 was-stopped   410 expired       410 was-deleted   410 file-gone     403 not-yours  404 gone
stop    page  =cancelled        =cancelled        409 finished      409 finished      409 finished      409 finished      409 finished      409 finished      409 finished   404 gone
delete  page  409 unfinished    409 unfinished    =deleted          409 no-file       409 no-file       409 no-file       409 no-file       =deleted          403 not-yours  404 gone
delete  api   =cancelled        =cancelled        =deleted          409 no-file       409 no-file       409 no-file       409 no-file       =deleted          403 not-yours  404 gone
again   api   409 only-closing  409 only-closing  409 only-closing  409 only-closing  409 only-closing  409 only-closing  409 only-closing  409 only-closing  403 not-yours  404 gone
"""  # noqa: E501 - one line for each verb and door
TOKENS = """
verb    door  alive      revoked   expired    narrow     closed          role-ended  foreign
revoke  page  =0 tokens  404 gone  =0 tokens  =0 tokens  =1 tokens       =0 tokens   404 gone
revoke  api   =0 tokens  404 gone  =0 tokens  =0 tokens  403 signed-out  =0 tokens   404 gone
"""  # noqa: E501 - one line for each verb and door
# What a script is answered with such a token: that reads, writes, makes another one,
# and that reads the feed of its owner's calendar with it.
USES = {
    "alive": (200, 201, 403, 404),
    "calendar": (401, 401, 403, 200),
    "narrow": (200, 403, 403, 404),
    "revoked": (401, 401, 403, 404),
    "expired": (401, 401, 403, 404),
    "closed": (401, 401, 403, 404),
    "role-ended": (404, 404, 403, 404),
}
HOLDS = """
verb         door  none   held               lifted             placer-gone
place        page  =held  =held, held        =lifted, held      =held, held
place        api   =held  =held, held        =lifted, held      =held, held
lift         page  -      =lifted            409 lifted-by      =lifted
lift         api   -      =lifted            409 lifted-by      =lifted
lift own     page  -      403 another-lifts  403 another-lifts  404 gone
lift own     api   -      403 another-lifts  403 another-lifts  404 gone
lift reader  page  -      404 gone           404 gone           404 gone
lift ended   page  -      404 gone           404 gone           404 gone
lift why     page  -      422 say-why        422 is-lifted        422 say-why
"""
NUMBERS = """
verb   door  seen       adopted    same-by-other  ended     foreign         forged
adopt  page  =1 tables  =1 tables  409 meanwhile  404 gone  409 sent-again  409 sent-again
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """Something of oscar's, with what its verbs name."""

    house: House
    row: Any = None
    secret: str = ""


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["ended"] = houses.person("ended")
    give(built, "ended", Role.OFFICER, ends_at=BEGINS - DAY / 48)
    return built


def export(house: House, state: str) -> Case:
    """An export that oscar asked for, that stands there; `lost` has no file although
    it should, `left` is of somebody whose role ended since."""
    by = house.otto if state == "foreign" else house.oscar
    made = request_export(house.system, by=by, on=TODAY)
    rows = Export.objects.filter(pk=made.pk)
    if state == "running":
        rows.update(state="running")
    elif state in {"failed", "cancelled", "expired", "deleted"}:
        rows.update(state=state, finished_at=BEGINS)
    elif state != "queued":
        content = b"id\r\n"
        name = f"{made.uuid}.csv"
        if state != "lost":
            (folder() / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        rows.update(
            state="done", file_name=name, sha256=digest, size_bytes=len(content),
            finished_at=BEGINS,
        )  # fmt: skip
    if state == "left":
        house.oscar.memberships.update(ends_at=BEGINS - DAY / 48)
    return Case(house, rows.get())


def state_of_export(case: Case) -> str:
    state = Export.objects.get(pk=case.row.pk).state
    rows = Export.objects.count()
    return str(state) if rows == 1 else f"{state} of {rows}"


def attempt_on_export(row: Row, case: Case) -> Attempt:
    by, uuid = case.house.oscar, case.row.uuid
    if row.verb == "again":
        address = f"/api/v1/exports/{uuid}/make-again/"
        return Attempt(by, address, {"given_up_at": BEGINS.isoformat()}, api=True)
    if row.door == "api":
        address = f"/api/v1/exports/{uuid}/"
        if row.verb == "take":
            return Attempt(by, f"{address}file/", {}, method="get")
        return Attempt(by, address, {}, api=True, method="delete")
    if row.verb == "take":
        address = reverse("evidence:export_download", args=[uuid])
        return Attempt(by, address, {}, method="get")
    name = {"stop": "export_cancel", "delete": "export_delete"}[row.verb]
    return Attempt(by, reverse(f"evidence:{name}", args=[uuid]), {})


def token(house: House, state: str) -> Case:
    """A token of oscar's that writes; `narrow` reads only."""
    owner = house.otto if state == "foreign" else house.oscar
    scope = {"narrow": "read", "calendar": "calendar"}.get(state, "write")
    kept, secret = make_token(owner, name="Script", scope=scope, days=9)
    uuid = kept.uuid
    if state == "revoked":
        revoke_token(kept, by=owner)
    if state == "expired":
        AuthToken.objects.filter(pk=kept.token_id).update(expiry=BEGINS - DAY)
    if state == "closed":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    if state == "role-ended":
        owner.memberships.update(ends_at=BEGINS - DAY / 48)
    return Case(house, uuid, secret)


def state_of_token(case: Case) -> str:
    return f"{TokenScope.objects.count()} tokens"


def attempt_on_token(row: Row, case: Case) -> Attempt:
    if row.door == "api":
        address = f"/api/v1/tokens/{case.row}/"
        return Attempt(case.house.oscar, address, {}, api=True, method="delete")
    address = reverse("evidence:token_revoke", args=[case.row])
    return Attempt(case.house.oscar, address, {})


def hold(house: House, state: str) -> Case:
    """A legal hold over the system, placed by oscar, that stands there."""
    if state == "none":
        return Case(house)
    made = place_hold(house.system, evidence=None, reason="A dispute.", by=house.oscar)
    if state == "lifted":
        lift_hold(made, reason="Over.", by=house.otto)
    if state == "placer-gone":
        house.oscar.memberships.update(ends_at=BEGINS - DAY / 48)
    return Case(house, made)


def state_of_hold(case: Case) -> str:
    lifted = [row.lifted_at is not None for row in LegalHold.objects.order_by("pk")]
    return ", ".join("lifted" if over else "held" for over in lifted) or "none"


def attempt_on_hold(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    who = {"own": "oscar", "reader": "ray", "ended": "ended"}
    by = case.house.people[who.get(how, "olivia")]
    body = {"reason": "" if how == "why" else "It is so."}
    if verb == "place":
        if row.door == "api":
            return Attempt(by, "/api/v1/systems/shop/legal-holds/", body, api=True)
        return Attempt(by, reverse("evidence:hold_new", args=["shop"]), body)
    if row.door == "api":
        address = f"/api/v1/systems/shop/legal-holds/{case.row.uuid}/lift/"
        return Attempt(by, address, body, api=True)
    return Attempt(by, reverse("evidence:hold_lift", args=[case.row.uuid]), body)


def sent_table(house: House, by: User) -> str:
    """The token of the preview of a table that one sent."""
    client = Client()
    sign_in_just_now(client, by)
    file = SimpleUploadedFile("n.csv", b"Control ID,Number\nCM-8,CC6.1\n")
    body = {"title": "SOC 2", "starts_on": str(TODAY), "file": file}
    answer = client.post(reverse("evidence:numbers_upload", args=["shop"]), body)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"].rstrip("/").rpartition("/")[2])


def adopt(house: House, by: User, token: str) -> Attempt:
    return Attempt(by, reverse("evidence:numbers_adopt", args=["shop", token]), {})


def table(house: House, state: str) -> Case:
    """The preview of oscar's table; what happened since."""
    by = house.otto if state == "foreign" else house.oscar
    token = sent_table(house, by)
    client = Client()
    if state in {"adopted", "same-by-other"}:
        who = house.oscar if state == "adopted" else house.otto
        named = token if state == "adopted" else sent_table(house, who)
        sign_in_just_now(client, who)
        assert client.post(adopt(house, who, named).address).status_code == 302
    if state == "ended":
        house.oscar.memberships.update(ends_at=BEGINS - DAY / 48)
    if state == "forged":
        token = "00000000-0000-4000-8000-000000000000"
    return Case(house, None, token)


def state_of_table(case: Case) -> str:
    return f"{Crosswalk.objects.count()} tables"


@pytest.mark.parametrize("row", rows_of(EXPORTS))
def test_what_each_verb_of_an_export_answers(house, row: Row) -> None:
    make = partial(export, house)
    wrong = wrong_cells(row, make, attempt_on_export, state_of_export, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(TOKENS))
def test_what_each_verb_of_a_token_answers(house, row: Row) -> None:
    make = partial(token, house)
    wrong = wrong_cells(row, make, attempt_on_token, state_of_token, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("state", USES)
def test_what_a_script_is_answered_with_a_token(house, state) -> None:
    """AC-11, AZ-07: it opens what its scope and its owner's roles let it, and no more
    once it is revoked, over, or the account is closed."""
    secret = token(house, state).secret
    client = Client(headers={"Authorization": f"Token {secret}"})
    json = {"content_type": "application/json"}
    holds = "/api/v1/systems/shop/legal-holds/"
    more = {"name": "More", "scope": "write", "days": 9}
    answers = (
        client.get("/api/v1/systems/shop/"),
        client.post(holds, {"reason": "A dispute."}, **json),
        client.post("/api/v1/tokens/", more, **json),
        client.get(reverse("evidence:calendar_feed", args=[secret])),
    )
    assert tuple(answer.status_code for answer in answers) == USES[state]


@pytest.mark.parametrize("row", rows_of(HOLDS))
def test_what_each_verb_of_a_legal_hold_answers(house, row: Row) -> None:
    make = partial(hold, house)
    wrong = wrong_cells(row, make, attempt_on_hold, state_of_hold, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(NUMBERS))
def test_what_adopting_a_table_of_numbers_answers(house, row: Row) -> None:
    make = partial(table, house)
    wrong = wrong_cells(
        row,
        make,
        lambda row, case: adopt(house, house.oscar, case.secret),
        state_of_table,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
