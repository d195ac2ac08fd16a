"""Deleting from a bucket, and what may be said afterwards of the bytes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from botocore.exceptions import ClientError

ABSENT = "The bytes were not in the store."
DELETED = "The bytes were deleted from the store."
WITHHELD = frozenset({"AccessDenied", "InvalidRequest", "ObjectLocked"})


def delete_versions(client: Any, at: dict[str, str]) -> str:
    """Delete every version of an object; the sentence says what became of it.

    What Object Lock keeps is hidden behind a delete marker and stays readable to
    those who may read old versions. Raises ClientError where nothing but a missing
    right stands against it.
    """
    versions, markers = _versions(client, at)
    locked = [kept for version in versions if (kept := _delete(client, at, version))]
    if locked:
        _hide(client, at, markers)
        return f"The bytes are hidden. {max(locked)[1]}"
    for marker in markers:
        client.delete_object(**at, VersionId=marker["VersionId"])
    return DELETED if versions else ABSENT


Version = dict[str, Any]


def _versions(client: Any, at: dict[str, str]) -> tuple[list[Version], list[Version]]:
    """Versions and delete markers of one key; several where versioning is on."""
    versions: list[Version] = []
    markers: list[Version] = []
    pages = client.get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=at["Bucket"], Prefix=at["Key"]):
        versions += [v for v in page.get("Versions", []) if v["Key"] == at["Key"]]
        markers += [v for v in page.get("DeleteMarkers", []) if v["Key"] == at["Key"]]
    return versions, markers


def _delete(
    client: Any, at: dict[str, str], version: Version
) -> tuple[dt.datetime, str] | None:
    """None when it is gone; until when it stays and a sentence when it is locked."""
    try:
        client.delete_object(**at, VersionId=version["VersionId"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in WITHHELD:
            raise
        head = client.head_object(**at, VersionId=version["VersionId"])
        kept = _kept(head)
        if kept is None:
            raise
        return kept
    return None


def _kept(head: dict[str, Any]) -> tuple[dt.datetime, str] | None:
    """Until when Object Lock keeps a version, and what follows; None: it does not."""
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        reason = "They stay in the bucket until its legal hold is lifted."
        return dt.datetime.max.replace(tzinfo=dt.UTC), reason
    until = head.get("ObjectLockRetainUntilDate")
    if until is None or until <= dt.datetime.now(dt.UTC):
        return None
    mode = head.get("ObjectLockMode", "")
    who = "nobody may delete them before"
    if mode == "GOVERNANCE":
        who = "before, only somebody who may bypass it can delete them"
    day = until.astimezone(dt.UTC).date()
    return until, (
        f"They stay until {day} under the bucket's retention ({mode}): {who}."
        " Delete the old versions after that day."
    )


def _hide(client: Any, at: dict[str, str], markers: list[Version]) -> None:
    """Put a delete marker over what stays, unless one lies on top."""
    if not any(marker.get("IsLatest") for marker in markers):
        client.delete_object(**at)
