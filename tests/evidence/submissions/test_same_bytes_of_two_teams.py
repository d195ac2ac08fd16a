"""UP-13: the same bytes are kept once, and nobody learns who else has them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from evidence.models import Blob, Evidence, EvidenceFile, RequirementControl
from evidence.storage import open_store
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db
# Longer than what says nothing, so that twins are looked for.
SECRET, FRESH = b"the same report of both" * 4, b"a report that bob alone" * 4
assert len(SECRET) == len(FRESH)
PASSING = re.compile(
    r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # digests, uuids
    r"|[0-9a-f]{12}|csrf\S+ value=\"\S+\"|X-CSRFToken\S+ \S+|\d\d:\d\d(:\d\d)?"
)


@pytest.fixture(autouse=True)
def store(either_store: str, settings) -> str:
    settings.MFA_REQUIRED = False
    return either_store


@pytest.fixture
def house(store) -> House:
    """Alice proves CM-8; bob of another team proves SI-2. Alice has uploaded first."""
    found = houses.build()
    asked = RequirementControl.objects.filter(
        pk=found.requirement("si-2").pk, system=found.system
    )
    asked.update(owner_team=found.other_team)
    houses.submitted(found, SECRET.decode())
    return found


def page_url(house: House) -> str:
    asked = house.requirement("si-2")
    return reverse("evidence:upload", args=[house.system.slug, asked.uuid])


def without_what_differs(text: str) -> str:
    return PASSING.sub("…", text)


def upload(client: Any, url: str, content: bytes) -> tuple[int, str, str, list[str]]:
    """Status, where to, the page there and the statements that ran."""
    with CaptureQueriesContext(
        connection,
    ) as spoken:
        answer = client.post(url, said(files=[file(content=content)]))
    kinds = [re.split(r'[("]', each["sql"])[0] for each in spoken]
    page = client.get(answer["Location"]).content.decode()
    where = without_what_differs(answer["Location"])
    return answer.status_code, where, without_what_differs(page), kinds


def test_bob_sees_no_difference_between_alices_bytes_and_new_ones(client, house):
    client.force_login(house.bob)
    upload(client, page_url(house), b"the first of the day")  # counts and sessions
    fresh = upload(client, page_url(house), FRESH)
    shared = upload(client, page_url(house), SECRET)
    assert fresh[0] == shared[0] == 302
    assert fresh[1:3] == shared[1:3]
    assert fresh[3] == shared[3]


def test_over_the_api_neither(client, house):
    client.force_login(house.bob)

    def post(content: bytes) -> tuple[int, str]:
        asked = house.requirement("si-2")
        body = said(files=[file(content=content)], requirement=str(asked.uuid))
        answer = client.post("/api/v1/evidence/", body)
        return answer.status_code, without_what_differs(answer.content.decode())

    fresh, shared = post(FRESH), post(SECRET)
    assert fresh == shared
    assert fresh[0] == 201


def test_one_blob_two_rows_each_for_its_own_team(client, house):
    client.force_login(house.bob)
    upload(client, page_url(house), SECRET)
    assert Evidence.objects.count() == EvidenceFile.objects.count() == 2
    assert Blob.objects.count() == 1
    assert len(list(open_store().everything())) == 1
    alices = EvidenceFile.objects.get(revision__evidence__team=house.team)
    bobs = EvidenceFile.objects.get(revision__evidence__team=house.other_team)
    mine = client.get(reverse("evidence:download", args=[bobs.uuid]))
    assert b"".join(mine.streaming_content) == SECRET
    hers = client.get(reverse("evidence:download", args=[alices.uuid]))
    assert hers.status_code == 404
    page = reverse("evidence:evidence", args=[alices.revision.evidence.uuid])
    assert client.get(page).status_code == 404
