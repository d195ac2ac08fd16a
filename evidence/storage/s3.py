"""A bucket as evidence store: one conditional, checksummed PUT per digest.

Bytes wait in a local file until they are known to be wanted. One PUT takes at most
5 GiB, and only there is the checksum that S3 verifies the digest itself; so files
are never sent in parts.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from evidence.storage.base import (
    BrokeOff,
    Store,
    StoredBytes,
    StoredObject,
    StoreUnreachable,
    Withheld,
    is_digest,
    key_of,
    probe_folder,
    refuse_other_bytes,
)
from evidence.storage.failpoints import failpoint
from evidence.storage.s3_deadline import Deadline
from evidence.storage.s3_deleting import delete_versions

READ_BYTES = 1 << 16  # at a time: what a reader waits for before the first byte
# One answer may take so many seconds, and more for its bytes at this many a second.
SECONDS, IMPATIENT_SECONDS = 28.0, 3.0
SLOWEST = 100_000
TRIES = 3  # when S3 says that somebody stores the same bytes at this moment
# Under this name in the bucket lie signed checkpoints of the audit log, no blobs.
CHECKPOINTS = "checkpoints/"
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
# Missing rights to one object, to its key, or an object moved to an archive.
WITHHELD = frozenset({"403", "AccessDenied", "KMS.AccessDenied", "InvalidObjectState"})


TOO_SLOW = "The evidence store answers too slowly. Try again in a minute."
TOO_SLOW_TO_READ = "The evidence store is too slow."


@dataclass(frozen=True)
class Retention:
    """How long nobody may delete what is stored: COMPLIANCE or GOVERNANCE, days."""

    mode: str
    days: int

    def as_put(self) -> dict[str, Any]:
        """The arguments of a PUT made now."""
        return {
            "ObjectLockMode": self.mode,
            "ObjectLockRetainUntilDate": self.until(),
        }

    def until(self) -> dt.datetime:
        """The end of a retention that begins now (UTC)."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(days=self.days)


def client_of(endpoint: str, region: str, *, patient: bool = True) -> Any:
    """A client of S3 or of what speaks like it; credentials from the environment.

    It gives up after 28 seconds without an answer, or 3 where it is not `patient`.
    """
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        config=Config(
            signature_version="s3v4",
            # seconds, as the next: twice both is less than 30
            connect_timeout=3 if patient else 1,
            read_timeout=11 if patient else 2,
            retries={
                "mode": "standard",
                "total_max_attempts": 2 if patient else 1,
            },
            s3={"addressing_style": "path"} if endpoint else {},
        ),
    )


def code_of(error: ClientError) -> str:
    """The word or number by which S3 names a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def explained() -> Iterator[None]:
    """Inside, what S3 refuses or does not answer becomes a refusal of ours."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in ABSENT:
            raise FileNotFoundError("The bytes are not in the store.") from error
        message = f"The evidence store refused: {code_of(error)}. Nothing was changed."
        kind = Withheld if code_of(error) in WITHHELD else StoreUnreachable
        raise kind(message) from error
    except BotoCoreError as error:
        why = type(error).__name__
        message = f"The evidence store does not answer ({why}). Try again in a minute."
        raise StoreUnreachable(message) from error


class S3Store(Store):
    """Blobs under `s3://bucket/prefix/ab/abcdef…`, written once."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        *,
        prefix: str,
        incoming: Path,
        retention: Retention | None = None,
        holds: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self.client, self.bucket, self.retention = client, bucket, retention
        self.holds = holds
        self.seconds = seconds
        self.prefix = f"{prefix}/" if prefix else ""
        self.incoming = incoming

    def settle(self, waiting: Path, stored: StoredBytes) -> None:
        """PUT unless the key exists; S3 verifies the digest before it keeps them."""
        for _ in range(TRIES):
            with self._in_time(stored.size_bytes):
                try:
                    self._put(waiting, stored)
                except ClientError as error:
                    if code_of(error) == "ConditionalRequestConflict":
                        continue
                    if code_of(error) != "PreconditionFailed":
                        raise
                    self._lies_already(stored)
            failpoint("after-put")
            return
        raise StoreUnreachable("The evidence store is busy with the same bytes.")

    def _put(self, waiting: Path, stored: StoredBytes) -> None:
        checksum = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
        with waiting.open("rb") as body:
            self.client.put_object(
                **self._at(stored.sha256),
                Body=body,
                ContentLength=stored.size_bytes,
                ContentType="application/octet-stream",
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
                **(self.retention.as_put() if self.retention else {}),
            )

    def _lies_already(self, stored: StoredBytes) -> None:
        """Check what lies there, and keep it for as long as if it came now."""
        head = self.client.head_object(**self._at(stored.sha256))
        refuse_other_bytes(stored, head["ContentLength"])
        if self.retention is None:
            return
        until = self.retention.until()
        if head.get("ObjectLockRetainUntilDate", until) >= until:
            return
        self.client.put_object_retention(
            **self._at(stored.sha256),
            Retention={"Mode": self.retention.mode, "RetainUntilDate": until},
        )

    def open(self, sha256: str) -> BinaryIO:
        """A stream from S3, not seekable. Raises FileNotFoundError."""
        with self._in_time() as deadline:
            answer = self.client.get_object(**self._at(sha256))
        seconds = self.seconds + answer["ContentLength"] / SLOWEST
        body = _Body(answer["Body"], deadline.spoken_on, seconds)
        return io.BufferedReader(body, READ_BYTES)

    def has(self, sha256: str) -> bool:
        """Whether an object lies under the digest."""
        try:
            with self._in_time():
                self.client.head_object(**self._at(sha256))
        except FileNotFoundError:
            return False
        return True

    def destroy(self, sha256: str) -> str:
        """Delete every version; under Object Lock say until when they stay."""
        with explained():
            return delete_versions(self.client, self._at(sha256))

    def set_legal_hold(self, sha256: str, *, on: bool) -> None:
        """Put the bucket's own legal hold on the bytes, or take it off.

        Raises FileNotFoundError, StoreUnreachable, Withheld without the right to.
        """
        with self._in_time():
            self.client.put_object_legal_hold(
                **self._at(sha256), LegalHold={"Status": "ON" if on else "OFF"}
            )

    def everything(self) -> Iterator[StoredObject]:
        """All current objects under the prefix but checkpoints, in order of name."""
        pages = self.client.get_paginator("list_objects_v2")
        with explained():
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                for entry in page.get("Contents", []):
                    if not entry["Key"].startswith(f"{self.prefix}{CHECKPOINTS}"):
                        yield self._stored_object(entry)

    def _stored_object(self, entry: dict[str, Any]) -> StoredObject:
        name = entry["Key"].removeprefix(self.prefix)
        last = name.rsplit("/", 1)[-1]
        ours = is_digest(last) and name == key_of(last)
        return StoredObject(name, last if ours else "", entry["LastModified"])

    def writable(self) -> bool:
        """Whether the bucket answers, with Object Lock where a retention is set.

        Raises OSError where uploads cannot wait in the folder of this machine.
        """
        probe_folder(self.incoming)
        with self._in_time():
            self.client.head_bucket(Bucket=self.bucket)
            return not (self.retention or self.holds) or self._locks()

    def _locks(self) -> bool:
        try:
            self.client.get_object_lock_configuration(Bucket=self.bucket)
        except (ClientError, BotoCoreError):
            return False
        return True

    @contextmanager
    def _in_time(self, size: int = 0) -> Iterator[Deadline]:
        """Inside, all that is asked ends in time for so many bytes, as `explained`."""
        with Deadline(self.seconds + size / SLOWEST) as deadline:
            with explained():
                yield deadline
            if deadline.over:
                raise StoreUnreachable(TOO_SLOW)

    def _at(self, sha256: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"{self.prefix}{key_of(sha256)}"}


class _Body(io.RawIOBase):
    """The body of an answer as a file; one that breaks off raises BrokeOff.

    `seconds` are what may be spent waiting for it, without the time of its reader.
    """

    def __init__(
        self, body: Any, spoken_on: socket.socket | None, seconds: float
    ) -> None:
        self._body, self._spoken_on, self._left = body, spoken_on, seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        began = time.monotonic()
        with Deadline(max(self._left, 0.0), self._spoken_on) as deadline:
            piece = _or_broke_off(lambda: self._body.read(len(buffer)))
        self._left -= time.monotonic() - began
        if deadline.over:
            raise BrokeOff(TOO_SLOW_TO_READ)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _or_broke_off(read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except BotoCoreError as broken:
        raise BrokeOff(f"The evidence store broke off: {broken}.") from broken
