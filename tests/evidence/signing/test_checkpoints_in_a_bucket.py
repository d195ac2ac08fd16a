"""AU-05: with an S3 store the bucket gets the checkpoints too, and tells by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from controls.models import AuditEvent, System
from evidence.signing.places import places
from evidence.storage import open_store
from evidence.tasks import write_checkpoints

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cut_tail_is_named_by_the_bucket_alone(
    system: System, bucket, settings, tmp_path: Path, owner_dsn, capsys
) -> None:
    settings.CHECKPOINT_FOLDER = str(tmp_path / "elsewhere")
    chain = str(system.uuid)
    write_checkpoints()
    write_checkpoints()
    _, in_bucket = places()
    (kept,) = in_bucket.newest_first(chain)
    size = AuditEvent.objects.filter(chain=chain).latest("seq").seq
    in_bucket.keep(chain, size, b"forged")  # one that is there stays
    assert list(in_bucket.newest_first(chain)) == [kept]
    assert list(open_store().everything()) == []  # they are no blobs without a record
    shutil.rmtree(tmp_path / "elsewhere")
    call_command("audit_verify")
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "DELETE FROM controls_auditevent WHERE chain = %s AND seq = %s",
            [chain, size],
        )
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify")
    assert ended.value.code == 3
    assert "the tail was cut" in capsys.readouterr().out
