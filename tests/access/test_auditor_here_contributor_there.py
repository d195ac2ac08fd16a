"""AC-06: who is auditor of one system and works on another is an auditor in the first.

What is read there is recorded and cannot write; roles held elsewhere open nothing
there, and what is read elsewhere by another role is nobody's audit.
"""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from controls import clock
from controls.models import AuditEvent, Role, System, Team, TokenScope, User
from evidence.models import Notice
from evidence.models.notices import NoticeKind
from tests import factories
from tests.access import world as worlds
from tests.access.walking import browser_of, doors, said_in_table, tried
from tests.one_day import TODAY


@pytest.fixture
def here(system: System, settings) -> System:
    """The system that dora audits."""
    settings.MFA_REQUIRED = False
    return system


@pytest.fixture
def there(oscar: User, here: System, platform: Team) -> System:
    """The system for which dora brings evidence."""
    return factories.make_system(
        oscar, slug="orders", team=platform, baseline=here.baseline
    )


@pytest.fixture
def dora(here: System, there: System, platform: Team) -> User:
    """Auditor here, contributor of team Platform there."""
    user = factories.make_user("dora")
    factories.let_auditor_in(user, here)
    factories.give_role(user, there, Role.CONTRIBUTOR, team=platform)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def program(user: User) -> Client:
    """A client with a token that may write."""
    token, secret = AuthToken.objects.create(user)
    TokenScope.objects.create(token=token, name="ci", scope="write")
    return Client(headers={"Authorization": f"Token {secret}"})


def recorded(client: Client, path: str, status: int = 200) -> bool:
    """Whether this reading was recorded as an auditor's, and then could not write."""
    reads = AuditEvent.objects.filter(verb="auditor.read", body__contains=f'"{path}"')
    before = reads.count()
    answer = client.get(path)
    assert answer.status_code == status
    was_recorded = reads.count() == before + 1
    assert getattr(answer.wsgi_request, "reads_only", False) == was_recorded
    return was_recorded


@pytest.mark.parametrize("kind", [browser, program])
@pytest.mark.parametrize(
    "path", ["/api/v1/systems/{}/", "/api/v1/systems/{}/components/"]
)
def test_reading_over_the_api_is_recorded_here_only(
    here: System, there: System, dora: User, kind, path: str
) -> None:
    client = kind(dora)
    assert recorded(client, path.format(here.slug))
    assert not recorded(client, path.format(there.slug))


@pytest.mark.parametrize("path", ["/systems/{}/", "/systems/{}/controls/ac-2/"])
def test_reading_a_page_is_recorded_here_only(
    here: System, there: System, dora: User, path: str
) -> None:
    client = browser(dora)
    assert recorded(client, path.format(here.slug))
    assert not recorded(client, path.format(there.slug))


@pytest.mark.parametrize("path", ["/evidence/{}/", "/api/v1/evidence/{}/"])
def test_one_row_is_read_by_the_role_in_its_system(
    here: System, there: System, dora: User, alice: User, tmp_path, settings, path: str
) -> None:
    """The address of a row names no system; the row has one."""
    settings.EVIDENCE_STORE = str(tmp_path)
    for system, by, is_recorded in ((here, alice, True), (there, dora, False)):
        link = factories.make_evidence(
            factories.requirement(system, "ac-2"), by=by, performed_on=TODAY
        )
        row = link if "api" in path else link.revision.evidence
        assert recorded(browser(dora), path.format(row.uuid)) == is_recorded


@pytest.mark.parametrize(
    "path", ["/systems/", "/requests/", "/api/v1/systems/", "/api/v1/evidence/"]
)
def test_a_list_over_all_systems_shows_what_is_audited_too(
    here: System, there: System, dora: User, path: str
) -> None:
    assert recorded(browser(dora), path)


def test_an_ended_audit_is_none(here: System, there: System, dora: User) -> None:
    dora.memberships.filter(role=Role.AUDITOR).update(ends_at=clock.now())
    assert not recorded(browser(dora), "/systems/")
    assert not recorded(browser(dora), f"/systems/{here.slug}/", 404)


def test_opening_a_notice_writes_nothing_in_either_system(
    here: System, there: System, dora: User
) -> None:
    """AZ-08: it is read when somebody says so."""
    for system in (there, here):
        notice = Notice.objects.create(
            user=dora,
            system=system,
            kind=NoticeKind.DUE_SOON,
            key=system.slug,
            path="/",
        )
        opened = browser(dora).get(reverse("evidence:notice", args=[notice.uuid]))
        assert opened.status_code == 302
        notice.refresh_from_db()
        assert notice.read_at is None


@pytest.mark.parametrize("kind", [browser, program])
def test_writing_is_refused_here_and_allowed_there(
    here: System, there: System, dora: User, kind
) -> None:
    """The owner team describes its controls: dora's is the same team in both."""
    statuses = []
    for system in (here, there):
        path = f"/api/v1/systems/{system.slug}/controls/ac-2/"
        tag = kind(dora).get(path).headers["ETag"]
        body = json.dumps({"customer_statement": "We look through all accounts."})
        answer = kind(dora).patch(
            path, body, content_type="application/json", headers={"If-Match": tag}
        )
        statuses.append(answer.status_code)
    assert statuses == [403, 200]


OF_HELD_FILES = (
    "evidence:report_",
    "evidence:disclosure",
    "report-file",
    "report-release",
    "report-removal",
    "report-fetch",
    "disclosure-",
)


def test_roles_elsewhere_open_no_door_here(db, settings, tmp_path) -> None:
    """Every address of one system answers as it does an auditor of nothing else.

    Reports are of no one system: their page to cite opens for the other system, and
    their held files for officers of any system that cites them (R27).
    """
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    world = worlds.build()
    audrey, elsewhere = world.house.audrey, System.objects.get(slug="elsewhere")
    for role in (Role.OFFICER, Role.REVIEWER, Role.CONTRIBUTOR):
        factories.give_role(audrey, elsewhere, role, team=world.house.team)
    of_all_systems = ("evidence:cite", "artifact-citations", *OF_HELD_FILES)
    table, client = said_in_table("audrey"), browser_of(world, "audrey")
    wrong = {
        (method, door.view): (status, table[method, door.view])
        for door in doors()
        if {"slug", "uuid"} & door.parts and not door.view.startswith(of_all_systems)
        for method in door.methods
        if (status := tried(client, door, method, world)) != table[method, door.view]
    }
    assert not wrong, f"(found, table) {wrong}"
