"""Which settings of the evidence store contradict themselves or each other."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# One PUT takes no more. Source: Amazon S3 User Guide, "Uploading objects".
MAX_PUT_BYTES = 5 * 1024**3  # bytes
MODES = {"COMPLIANCE", "GOVERNANCE"}


def refuse_impossible_store(
    store: str,
    *,
    endpoint: str,
    region: str,
    mode: str,
    days: int,
    holds: bool,
    work: str,
    max_upload_bytes: int,
) -> None:
    """Raise ImproperlyConfigured, naming the setting that cannot be."""
    if "://" in work:
        raise ImproperlyConfigured("WORK_FOLDER is a folder of this machine.")
    if not store.startswith("s3://"):
        hold = "yes" if holds else ""
        _refuse_for_folder(
            store, endpoint=endpoint, region=region, mode=mode, legal_hold=hold
        )
        return
    _refuse_bad_address(store, endpoint)
    if not work:
        raise ImproperlyConfigured("With s3://, WORK_FOLDER must name a local folder.")
    if mode and mode not in MODES:
        text = "EVIDENCE_S3_RETENTION_MODE is COMPLIANCE or GOVERNANCE."
        raise ImproperlyConfigured(text)
    if bool(mode) != bool(days):
        text = "Set EVIDENCE_S3_RETENTION_MODE and EVIDENCE_S3_RETENTION_DAYS or none."
        raise ImproperlyConfigured(text)
    if max_upload_bytes > MAX_PUT_BYTES:
        raise ImproperlyConfigured(
            "With s3://, MAX_UPLOAD_BYTES is 5368709120 at most."
        )


def _refuse_for_folder(store: str, **only_s3: str) -> None:
    if "://" in store or not store:
        raise ImproperlyConfigured("EVIDENCE_STORE is a folder or s3://bucket/prefix.")
    for name, value in only_s3.items():
        if value:
            setting = "RETENTION_MODE" if name == "mode" else name.upper()
            text = f"EVIDENCE_S3_{setting} is only for an EVIDENCE_STORE of s3://."
            raise ImproperlyConfigured(text)


def _refuse_bad_address(store: str, endpoint: str) -> None:
    parts = urlsplit(store)
    if not BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ImproperlyConfigured("EVIDENCE_STORE must look like s3://bucket/prefix.")
    address = urlsplit(endpoint)
    if endpoint and (address.scheme not in {"http", "https"} or not address.netloc):
        raise ImproperlyConfigured("EVIDENCE_S3_ENDPOINT is http(s)://host:port.")
