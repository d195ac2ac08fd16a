"""No page hands a browser what people typed as markup, whoever reads it (IN-05)."""

from __future__ import annotations

import pytest

from controls.models import System, Team, User
from evidence.models import RequirementControl
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors
from tests.factories import set_terms

TYPED = '<script>alert(1)</script>"onmouseover="alert(2) {{ 7|add:7 }}'


@pytest.fixture
def world(db, settings, tmp_path):
    """Names and titles that would run, were they not escaped."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    world = worlds.build(key=TYPED)
    for model in (System, Team, User):
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(name=f"{TYPED} {row.pk}")
    set_terms(RequirementControl.objects.all(), title=TYPED, guidance=TYPED)
    return world


@pytest.mark.parametrize("name", ["alice", "rita", "olivia", "audrey"])
def test_in_05_what_was_typed_is_shown_and_never_runs(world, name: str) -> None:
    shown, browser = 0, browser_of(world, name)
    for door in doors():
        if "GET" not in door.methods or door.view == "api_docs":
            continue
        answer = browser.get(address(door, world))
        if answer.streaming:
            b"".join(answer.streaming_content)
            continue
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        page = answer.content.decode()
        shown += "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page, door.view
        assert '"onmouseover="' not in page, door.view
        assert answer.headers["Content-Security-Policy"], door.view
    assert shown > 20
