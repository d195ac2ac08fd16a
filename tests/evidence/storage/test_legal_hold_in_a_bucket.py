"""AU-07: what is under a legal hold is held by the bucket too, where the setting says
so; lifted it can go, and what the bucket refuses is tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.urls import reverse

from controls.models import Role
from evidence.files import spill_removal
from evidence.files.held_bytes import not_set_yet, set_holds
from evidence.files.legal_holds import lift_hold, place_hold
from evidence.models import Blob, Evidence, EvidenceFile
from evidence.storage import StoreUnreachable, open_store
from evidence.storage.s3 import S3Store
from tests.evidence import house as houses
from tests.evidence.house import House, give
from tests.seaweed import Bucket

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(locked_bucket: Bucket, settings: Any) -> House:
    """Two pieces of evidence in a bucket with Object Lock and no retention."""
    settings.EVIDENCE_S3_RETENTION_MODE = ""
    settings.EVIDENCE_S3_RETENTION_DAYS = 0
    settings.EVIDENCE_S3_LEGAL_HOLD = True
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.people["oscar"] = houses.person("oscar")
    give(built, "oscar", Role.OFFICER)
    houses.submitted(built)
    houses.submitted(built, "another", requirement=built.requirement("si-2"))
    return built


def held(bucket: Bucket) -> list[bool]:
    """Whether the bucket holds each object, as it says itself."""
    statuses = []
    for blob in Blob.objects.order_by("pk"):
        key = f"proof/{blob.sha256[:2]}/{blob.sha256}"
        try:
            answer = bucket.client.get_object_legal_hold(Bucket=bucket.name, Key=key)
            statuses.append(answer["LegalHold"]["Status"] == "ON")
        except ClientError:  # none was ever set
            statuses.append(False)
    return statuses


def test_the_bucket_holds_one_piece_or_all_until_the_last_is_lifted(
    house, locked_bucket
) -> None:
    assert open_store().writable()
    piece = Evidence.objects.order_by("pk")[0]
    one = place_hold(house.system, evidence=piece, reason="A suit", by=house.olivia)
    assert set_holds() == 1
    assert held(locked_bucket) == [True, False]
    whole = place_hold(house.system, reason="Another suit", by=house.olivia)
    assert set_holds() == 1
    assert held(locked_bucket) == [True, True]
    assert set_holds() == 0, "nothing is left to do"
    lift_hold(whole, reason="Settled", by=house.oscar)
    assert set_holds() == 1
    assert held(locked_bucket) == [True, False]
    digest = Blob.objects.order_by("pk")[0].sha256
    assert "legal hold" in open_store().destroy(digest), "not even by us"
    lift_hold(one, reason="Settled", by=house.oscar)
    assert set_holds() == 1
    assert held(locked_bucket) == [False, False]


def test_a_spill_that_waited_goes_once_the_hold_is_lifted(house, locked_bucket) -> None:
    hold = place_hold(house.system, reason="A suit", by=house.olivia)
    set_holds()
    file = EvidenceFile.objects.order_by("pk")[0]
    removal = spill_removal.request_removal(file, reason="A key", by=house.olivia)
    spill_removal.decide_removal(removal, approve=True, by=house.oscar)
    spill_removal.destroy(removal.pk)
    removal.refresh_from_db()
    assert removal.outcome == spill_removal.HELD
    lift_hold(hold, reason="Settled", by=house.oscar)
    assert spill_removal.destroy(removal.pk) == "The bytes were deleted from the store."
    assert not open_store().has(file.blob.sha256)


def test_what_the_bucket_refuses_is_said_and_tried_again(
    house, locked_bucket, monkeypatch, as_user, caplog
) -> None:
    place_hold(house.system, reason="A suit", by=house.olivia)
    page = reverse("evidence:retention", args=[house.system.slug])

    def away(self: S3Store, sha256: str, *, on: bool) -> None:
        raise StoreUnreachable("The evidence store refused: AccessDenied.")

    with monkeypatch.context() as patch:
        patch.setattr(S3Store, "set_legal_hold", away)
        assert set_holds() == 0
    assert "No legal hold was set in the bucket" in caplog.text
    assert len(not_set_yet()) == 2
    shown = " ".join(as_user(house.olivia).get(page).content.decode().split())
    assert "waits to be changed on 2 files" in shown
    assert set_holds() == 2
    assert "waits to be changed" not in as_user(house.olivia).get(page).content.decode()


def test_without_the_setting_the_bucket_is_not_asked(
    house, locked_bucket, settings
) -> None:
    settings.EVIDENCE_S3_LEGAL_HOLD = False
    place_hold(house.system, reason="A suit", by=house.olivia)
    assert (set_holds(), held(locked_bucket)) == (0, [False, False])


def test_without_object_lock_the_store_is_not_ready(bucket, settings) -> None:
    settings.EVIDENCE_S3_LEGAL_HOLD = True
    assert not open_store().writable()
    settings.EVIDENCE_STORE = str(Path(settings.WORK_FOLDER) / "store")
    assert open_store().writable()
