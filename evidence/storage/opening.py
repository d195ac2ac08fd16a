"""Which store this installation has."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from evidence.storage.base import Store
from evidence.storage.local import LocalStore
from evidence.storage.s3 import (
    IMPATIENT_SECONDS,
    SECONDS,
    Retention,
    S3Store,
    client_of,
)


def open_store(*, patient: bool = True) -> Store:
    """The store of this installation (`EVIDENCE_STORE`: a folder or s3://…).

    One that is not `patient` gives up 3 seconds after it asked: for probes.
    """
    address = str(settings.EVIDENCE_STORE)
    if not address.startswith("s3://"):
        return LocalStore(Path(address))
    parts = urlsplit(address)
    retention = None
    if settings.EVIDENCE_S3_RETENTION_MODE:
        retention = Retention(
            settings.EVIDENCE_S3_RETENTION_MODE, settings.EVIDENCE_S3_RETENTION_DAYS
        )
    return S3Store(
        _client(
            settings.EVIDENCE_S3_ENDPOINT,
            settings.EVIDENCE_S3_REGION,
            patient=patient,
        ),
        parts.netloc,
        prefix=parts.path.strip("/"),
        incoming=work_folder("incoming"),
        retention=retention,
        holds=settings.EVIDENCE_S3_LEGAL_HOLD,
        seconds=SECONDS if patient else IMPATIENT_SECONDS,
    )


_client = cache(client_of)  # making one takes longer than most uploads


def work_folder(name: str) -> Path:
    """A folder for what is no evidence: exports, keys, uploads on their way to S3."""
    path = Path(settings.WORK_FOLDER or settings.EVIDENCE_STORE) / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
