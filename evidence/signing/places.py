"""Where checkpoints of the audit log lie: a folder, and the bucket if there is one."""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import ClientError
from django.conf import settings

from evidence.storage import S3Store, open_store, work_folder
from evidence.storage.s3 import CHECKPOINTS, code_of, explained


class CheckpointPlace(ABC):
    """Keeps files of a chain by the number of its last event; none is overwritten."""

    @abstractmethod
    def keep(self, chain: str, size: int, data: bytes) -> None:
        """Write one; it is durable on return. One that is there stays.

        Raises OSError, StoreUnreachable.
        """

    @abstractmethod
    def newest_first(self, chain: str) -> Iterator[bytes]:
        """The files of a chain, the one with the most events first."""


class FolderPlace(CheckpointPlace):
    """A folder of this machine, or one that is mounted from another."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, chain: str, size: int, data: bytes) -> None:
        """See `CheckpointPlace`."""
        folder = self.root / chain
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{uuid.uuid4().hex}"
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, folder / _name(size))
        finally:
            draft.unlink(missing_ok=True)

    def newest_first(self, chain: str) -> Iterator[bytes]:
        """See `CheckpointPlace`."""
        for path in sorted((self.root / chain).glob("*.json"), reverse=True):
            yield path.read_bytes()


class BucketPlace(CheckpointPlace):
    """The bucket of the evidence store, with its retention (Object Lock)."""

    def __init__(self, store: S3Store) -> None:
        self.store = store

    def keep(self, chain: str, size: int, data: bytes) -> None:
        """See `CheckpointPlace`."""
        retention = self.store.retention
        with explained():
            try:
                self.store.client.put_object(
                    Bucket=self.store.bucket,
                    Key=f"{self._prefix(chain)}{_name(size)}",
                    Body=data,
                    ContentType="application/json",
                    ChecksumAlgorithm="SHA256",
                    IfNoneMatch="*",
                    **(retention.as_put() if retention else {}),
                )
            except ClientError as error:
                if code_of(error) != "PreconditionFailed":
                    raise

    def newest_first(self, chain: str) -> Iterator[bytes]:
        """See `CheckpointPlace`."""
        client, bucket = self.store.client, self.store.bucket
        pages = client.get_paginator("list_objects_v2")
        with explained():
            keys = [
                entry["Key"]
                for page in pages.paginate(Bucket=bucket, Prefix=self._prefix(chain))
                for entry in page.get("Contents", [])
            ]
        for key in sorted(keys, reverse=True):
            with explained():
                answer = client.get_object(Bucket=bucket, Key=key)
                data: bytes = answer["Body"].read()
            yield data

    def _prefix(self, chain: str) -> str:
        return f"{self.store.prefix}{CHECKPOINTS}{chain}/"


def places() -> list[CheckpointPlace]:
    """CHECKPOINT_FOLDER, else a folder beside exports; with S3 the bucket as well."""
    named = settings.CHECKPOINT_FOLDER
    folder = Path(named) if named else work_folder("checkpoints")
    store = open_store()
    bucket = [BucketPlace(store)] if isinstance(store, S3Store) else []
    return [FolderPlace(folder), *bucket]


def _name(size: int) -> str:
    """Names in the order of their numbers."""
    return f"{size:012}.json"
