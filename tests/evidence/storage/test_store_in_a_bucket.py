"""What only a bucket does: checksums, conditions, versions, Object Lock, absence."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

import pytest
from botocore.exceptions import ClientError
from django.urls import reverse

from controls import clock
from evidence.exports import jobs
from evidence.files import spill_removal
from evidence.models import EvidenceFile
from evidence.storage import StoreUnreachable, open_store
from tests.evidence import house as houses
from tests.seaweed import Bucket

ABC = hashlib.sha256(b"abc").hexdigest()
KEY = f"proof/{ABC[:2]}/{ABC}"


def versions(bucket: Bucket) -> list[dict]:
    listed = bucket.client.list_object_versions(Bucket=bucket.name, Prefix=KEY)
    return listed.get("Versions", [])


def test_s3_knows_the_digest(bucket):
    open_store().put([b"abc"], limit=9)
    found = bucket.client.head_object(
        Bucket=bucket.name, Key=KEY, ChecksumMode="ENABLED"
    )
    assert base64.b64decode(found["ChecksumSHA256"]).hex() == ABC


def test_bytes_changed_on_the_way_are_not_kept(bucket):
    incoming = open_store().begin(limit=9)
    incoming.write(b"abc")
    incoming.seal()
    incoming._path.write_bytes(b"abX")
    with pytest.raises(StoreUnreachable, match="BadDigest"):
        incoming.keep()
    incoming.close()
    assert not open_store().has(ABC)


def test_a_key_is_never_overwritten(bucket):
    open_store().put([b"abc"], limit=9)
    bucket.overwrite(KEY, b"abX")  # the same size: only a check of all bytes finds it
    open_store().put([b"abc"], limit=9)
    with open_store().open(ABC) as file:
        assert file.read() == b"abX"


def test_every_version_is_deleted(bucket):
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    open_store().put([b"abc"], limit=9)
    bucket.overwrite(KEY, b"abc")
    assert len(versions(bucket)) == 2
    assert open_store().destroy(ABC) == "The bytes were deleted from the store."
    assert versions(bucket) == []


def test_retention_is_set_and_renewed(locked_bucket, settings):
    def until() -> dt.datetime:
        at = {"Bucket": locked_bucket.name, "Key": KEY}
        return locked_bucket.client.head_object(**at)["ObjectLockRetainUntilDate"]

    open_store().put([b"abc"], limit=9)
    first = until()
    assert dt.timedelta(days=1) < first - clock.now()
    settings.EVIDENCE_S3_RETENTION_DAYS = 30
    open_store().put([b"abc"], limit=9)
    assert until() - first > dt.timedelta(days=27)
    settings.EVIDENCE_S3_RETENTION_DAYS = 1
    open_store().put([b"abc"], limit=9)
    assert until() - first > dt.timedelta(days=27)


def test_locked_bytes_are_hidden_and_the_sentence_says_until_when(locked_bucket):
    open_store().put([b"abc"], limit=9)
    day = (clock.now() + dt.timedelta(days=2)).date()
    said = open_store().destroy(ABC)
    assert said.startswith("The bytes are hidden. They stay until ")
    assert f"{day} under the bucket's retention (COMPLIANCE)" in said
    assert not open_store().has(ABC)
    assert len(versions(locked_bucket)) == 1
    assert open_store().destroy(ABC) == said
    with pytest.raises(ClientError, match="AccessDenied"):
        locked_bucket.client.delete_object(
            Bucket=locked_bucket.name,
            Key=KEY,
            VersionId=versions(locked_bucket)[0]["VersionId"],
        )


def test_governance_says_who_may_delete_sooner(locked_bucket, settings):
    settings.EVIDENCE_S3_RETENTION_MODE = "GOVERNANCE"
    open_store().put([b"abc"], limit=9)
    assert "may bypass it" in open_store().destroy(ABC)


def test_a_legal_hold_is_said(locked_bucket, settings):
    settings.EVIDENCE_S3_RETENTION_MODE = ""
    open_store().put([b"abc"], limit=9)
    at = {"Bucket": locked_bucket.name, "Key": KEY}
    locked_bucket.client.put_object_legal_hold(**at, LegalHold={"Status": "ON"})
    assert "legal hold" in open_store().destroy(ABC)


@pytest.mark.django_db
def test_a_spill_under_retention_is_recorded_as_staying(locked_bucket, oscar):
    house = houses.build()
    file = houses.submitted(house, "password").revision.files.get()
    asked = spill_removal.request_removal(file, reason="A password", by=house.olivia)
    otto = houses.person("otto")
    house.people["otto"] = otto
    houses.give(house, "otto", "officer")
    spill_removal.decide_removal(asked, approve=True, by=otto)
    assert "They stay until" in spill_removal.destroy(asked.pk)
    asked.refresh_from_db()
    assert "They stay until" in asked.outcome


def test_retention_without_object_lock_is_not_ready(bucket, settings):
    settings.EVIDENCE_S3_RETENTION_MODE = "COMPLIANCE"
    settings.EVIDENCE_S3_RETENTION_DAYS = 2
    assert not open_store().writable()
    with pytest.raises(StoreUnreachable):
        open_store().put([b"abc"], limit=9)


def test_a_bucket_that_is_not_there_is_said(bucket, settings, client, db):
    settings.EVIDENCE_STORE = "s3://no-such-bucket/proof"
    with pytest.raises(StoreUnreachable):
        open_store().put([b"abc"], limit=9)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["evidence_store"] is False


@pytest.mark.django_db
def test_a_store_that_does_not_answer_is_503(bucket, settings, client):
    settings.MFA_REQUIRED = False
    house = houses.build()
    file = EvidenceFile.objects.get(revision=houses.submitted(house, "x").revision)
    settings.EVIDENCE_S3_ENDPOINT = "http://127.0.0.1:9"
    client.force_login(house.alice)
    for page in ("download", "preview"):
        answer = client.get(reverse(f"evidence:{page}", args=[file.uuid]))
        assert answer.status_code == 503
        assert "does not answer" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_exports_lie_in_the_work_folder(bucket, system, rita, tmp_path):
    export = jobs.request_export(system, by=rita, on=dt.date(2026, 11, 1))
    jobs.make_export(export.pk)
    export.refresh_from_db()
    assert (tmp_path / "exports" / export.file_name).exists()
    with jobs.open_file(export) as file:
        assert hashlib.sha256(file.read()).hexdigest() == export.sha256
    assert list(open_store().everything()) == []


def test_large_files_pass_through_without_filling_memory(bucket):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    piece = b"y" * 1_000_000
    stored = open_store().put((piece for _ in range(60)), limit=60_000_000)
    with open_store().open(stored.sha256) as file:
        assert sum(len(each) for each in iter(lambda: file.read(1 << 20), b"")) == 6e7
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000  # kilobytes
