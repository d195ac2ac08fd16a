"""Where the bytes of evidence lie: named by their sha256, never overwritten."""

from evidence.storage.local import (
    BlobTooLarge,
    Incoming,
    LocalStore,
    StoredBytes,
    open_store,
)

__all__ = [
    "BlobTooLarge",
    "Incoming",
    "LocalStore",
    "StoredBytes",
    "open_store",
]
