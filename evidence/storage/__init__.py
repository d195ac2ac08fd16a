"""Where the bytes of evidence lie: named by their sha256, never overwritten."""

from evidence.storage.local import (
    BlobTooLarge,
    Incoming,
    LocalStore,
    StoredBytes,
    open_store,
)
from evidence.storage.sniffing import media_type

__all__ = [
    "BlobTooLarge",
    "Incoming",
    "LocalStore",
    "StoredBytes",
    "media_type",
    "open_store",
]
