"""Where the bytes of evidence lie: named by their sha256, never overwritten."""

from evidence.storage.base import (
    BlobTooLarge,
    BrokeOff,
    Incoming,
    OtherBytes,
    Store,
    StoredBytes,
    StoredObject,
    StoreFull,
    StoreUnreachable,
    Withheld,
    probe_folder,
    refuse_broken_off,
    refuse_full_disk,
)
from evidence.storage.local import LocalStore
from evidence.storage.opening import open_store, work_folder
from evidence.storage.s3 import S3Store

__all__ = [
    "BlobTooLarge",
    "BrokeOff",
    "Incoming",
    "LocalStore",
    "OtherBytes",
    "S3Store",
    "Store",
    "StoreFull",
    "StoreUnreachable",
    "StoredBytes",
    "StoredObject",
    "Withheld",
    "open_store",
    "probe_folder",
    "refuse_broken_off",
    "refuse_full_disk",
    "work_folder",
]
