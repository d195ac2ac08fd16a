"""AC-04: nobody sets a state, a person or a team that the server decides.

Each route that makes something is sent the same again with every name that any answer
of the API has, each with a value that somebody might wish for. Names that the request
knows and that are only read may be sent back: what is answered and what is stored must
not differ. Any other name is refused by name, and nothing is stored.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils.functional import cached_property
from drf_spectacular.generators import SchemaGenerator

from evidence.api.revisions import SAID_ONCE
from evidence.models import EvidenceLink, Population
from tests.access.world import World
from tests.api.keyed import Asking, built
from tests.api.test_idempotency_keys import freed, makers, undone
from tests.verbs.matrix import contents

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# Names of columns and relations that no answer shows.
UNSHOWN = {
    "id", "pk", "reviewer", "owner", "is_superuser", "is_staff", "known_from",
    "submitted_by", "drawn_by", "made_by", "user", "owner_team", "implementation",
    "revision", "blob", "scan_state", "proves_from", "proves_to", "occurrence",
}  # fmt: skip
ROOT = Path(__file__).parents[2]
FORGED = "99999999-9999-4999-8999-999999999999"
# What is another one each time: keys, names by chance, moments, and what holds them.
CHANCE = re.compile(
    r"^(id|uuid|token|digest|sha256|.*_at|known_\w+|hash|prev\w*|body|seq|etag|url"
    r"|address|[a-z_]*key|requirement_uuids)$"
)
PEOPLE = re.compile(r"(_by|team|user|reviewer|owner|drawer)_id$")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT|^[0-9a-f]{8}-[0-9a-f]{4}-")
BESIDE = re.compile(r"auditevent|auditchain|idempotencykey|_history|arrival|teamday")


OF_SIGNING_IN = {"controls_user", "django_session", "usersessions_usersession"}


class Described:
    """What the API's description says of requests and answers."""

    @cached_property
    def schema(self) -> dict[str, Any]:
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
        return made

    @cached_property
    def names(self) -> set[str]:
        """Every name that any object of the API has."""
        objects = self.schema["components"]["schemas"].values()
        return {name for each in objects for name in each.get("properties", {})}

    def taken_by(self, path: str) -> dict[str, bool]:
        """The names that a POST to a path knows, and whether each is only read."""
        for template, methods in self.schema["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and "post" in methods:
                content = methods["post"].get("requestBody", {}).get("content", {})
                kinds = [each["schema"] for each in content.values()]
                return {n: r for kind in kinds for n, r in self._names_of(kind).items()}
        raise LookupError(path)

    def _names_of(self, kind: dict[str, Any]) -> dict[str, bool]:
        if "$ref" in kind:
            name = kind["$ref"].rpartition("/")[2]
            kind = self.schema["components"]["schemas"][name]
        known = kind.get("properties", {})
        return {name: each.get("readOnly", False) for name, each in known.items()}


DESCRIBED = Described()


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Any) -> World:
    return built(settings, tmp_path)


def wished_for(name: str, world: World) -> Any:
    """What somebody might want the server to believe."""
    rita = world.house.people["rita"]
    if name.endswith("_by") or name in {"reviewer", "owner", "user"}:
        return rita.email
    if "team" in name:
        return str(world.house.team.pk)
    if name == "uuid":
        return FORGED
    wishes = {
        "state": "accepted", "scan_state": "clean", "version": 99, "id": 999_999,
        "pk": 999_999, "is_superuser": True, "is_staff": True, "role": "officer",
    }  # fmt: skip
    return wishes.get(name, "2026-01-01")


def stored(before: dict[str, str]) -> Counter[str]:
    """Every row of the tables that an act has changed since `before`, without what is
    another one each time."""
    found: Counter[str] = Counter()
    after = contents()
    with connection.cursor() as cursor:
        for table in sorted(t for t in after if after[t] != before[t]):
            if BESIDE.search(table):
                continue
            cursor.execute(f'SELECT to_jsonb(t) FROM "{table}" t')
            for (row,) in cursor.fetchall():
                row = json.loads(row) if isinstance(row, str) else row
                found[f"{table} {dict(_steady(row))}"] += 1
    return found


def _steady(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(row.items()):
        if PEOPLE.search(name) or not (name.endswith("_id") or CHANCE.match(name)):
            moment = isinstance(value, str) and MOMENT.match(value)
            yield name, "…" if moment else value


def told(body: Any) -> Any:
    """An answer without what is another one each time."""
    if isinstance(body, dict):
        return {
            name: told(value) for name, value in body.items() if not CHANCE.match(name)
        }
    if isinstance(body, list):
        return [told(value) for value in body]
    return "…" if isinstance(body, str) and MOMENT.match(body) else body


def asked(
    world: World, view: str, more: dict[str, Any], before: dict[str, str]
) -> tuple[int, Any, Counter[str]]:
    with undone():
        if view == "file-remove":
            freed(world)
        asking = Asking(world, view)
        made_for_it = stored(before)
        asking.body = more | asking.body
        answer = asking.answer(None)
        return answer.status_code, told(answer.json()), stored(before) - made_for_it


def test_no_route_takes_what_the_server_decides(world: World) -> None:
    wrong, before = [], contents()
    assert {"state", "submitted_by", "decided_by", "team"} <= DESCRIBED.names | UNSHOWN
    for view in makers():
        with undone():
            if view == "file-remove":
                freed(world)
            asking = Asking(world, view)
        taken = DESCRIBED.taken_by(asking.path)
        known = set(taken) | set(asking.body) | {"file", "files"}
        names = (DESCRIBED.names | UNSHOWN) - known
        read = {n for n, only_read in taken.items() if only_read} - set(asking.body)
        plain = asked(world, view, {}, before)
        assert plain[0] < 300, (view, plain[1])
        sent_back = {name: wished_for(name, world) for name in sorted(read)}
        if sent_back:
            again = asked(world, view, sent_back, before)
            if plain != again:
                wrong.append((view, plain[:2], again[:2], again[2] - plain[2]))
        more = {name: wished_for(name, world) for name in sorted(names)}
        status, answer, changed = asked(world, view, more, before)
        if not taken:  # it reads no body at all
            if (status, answer, changed) != plain:
                wrong.append((view, plain[:2], status, answer))
            continue
        changed = {row for row in changed if row.split()[0] not in OF_SIGNING_IN}
        unnamed = names - set(answer.get("errors", {}))
        unnamed = {name for name in unnamed if not CHANCE.match(name)}
        if status != 400 or changed or unnamed - set(SAID_ONCE):
            wrong.append((view, status, sorted(unnamed), sorted(changed)[:3]))
    assert not wrong


def test_a_misspelt_field_is_refused_by_name_wherever_it_lies(client, world) -> None:
    """It would be ignored, and another day be meant than is kept."""
    client.force_login(world.house.olivia)
    asking = Asking(world, "evidence-list")
    asking.body |= {"performd_on": "2026-11-20"}
    answer = asking.answer(None)
    assert answer.status_code == 400, answer.content
    sentence = answer.json()["errors"]["performd_on"][0]
    assert sentence.startswith("There is no such field. Known here: ")
    assert "performed_on" in sentence
    link = str(EvidenceLink.objects.latest("pk").uuid)
    many = [{"link": link, "decision": "accept", "becuase": "It shows it."}]
    answer = client.post("/api/v1/evidence/decide/", many, "application/json")
    assert answer.status_code == 400
    assert "0.becuase" in answer.json()["errors"]


def test_every_body_is_read_by_the_one_that_refuses() -> None:
    """A serializer of a request that were asked past it would ignore again."""
    past = [
        f"{file.relative_to(ROOT)}:{number}"
        for room in ("controls", "evidence", "srm_project")
        for file in sorted((ROOT / room).rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if "is_valid(raise_exception" in line
    ]
    assert not past
    schema = DESCRIBED.schema["components"]["schemas"]
    assert schema["Decision"]["additionalProperties"] is False


def test_a_form_takes_no_state_person_or_team_either(client, world: World) -> None:
    """AC-04: what comes of an upload is alice's, of her team, and waits."""
    asking = Asking(world, "evidence-list")
    body = {n: v for n, v in asking.body.items() if n != "requirement"}
    uuid = world.named["upload"]["uuid"]
    rita, before = world.house.people["rita"], EvidenceLink.objects.latest("pk").pk
    client.force_login(world.house.alice)
    answer = client.post(
        f"/systems/shop/requirements/{uuid}/upload/",
        body
        | {
            "sensitivity": "internal",
            "state": "accepted",
            "submitted_by": rita.pk,
            "team": "999",
            "version": "99",
            "reviewer": rita.pk,
            "uuid": FORGED,
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    made = EvidenceLink.objects.latest("pk")
    assert made.pk > before
    assert (made.state, made.submitted_by, made.version) == (
        "submitted",
        world.house.alice,
        1,
    )
    assert made.revision.evidence.team == world.house.team
    assert not made.reviews.exists()
    assert str(made.uuid) != FORGED
    assert not Population.objects.filter(uuid=FORGED).exists()
