"""What a set says of itself: a manifest, and a list of every other file.

The list has one line of JSON a file, in the order in which files lie in the set, so
that it is compared line by line and never read as a whole.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from controls.errors import SrmError
from evidence.storage.base import is_digest, key_of

FORMAT = 1
DUMP, LISTING, MANIFEST = "database.dump", "files.jsonl", "manifest.json"
BLOBS = "blobs/"
MAX_MANIFEST_BYTES = 50_000_000
MAX_LINE_BYTES = 1000


class BrokenSet(SrmError):
    """The set is not what its manifest says, or no set at all; nothing was written."""

    status_code = 422


@dataclass(frozen=True)
class ListedFile:
    """One file of a set: its name in it, its size in bytes and its hex sha256."""

    name: str
    size_bytes: int
    sha256: str

    def line(self) -> bytes:
        """As it stands in the list."""
        return json.dumps([self.name, self.size_bytes, self.sha256]).encode() + b"\n"

    @property
    def is_blob(self) -> bool:
        """Whether these are bytes of evidence; their name ends with their digest."""
        return self.name.startswith(BLOBS)


def blob_name(sha256: str) -> str:
    """The name in a set of bytes of evidence."""
    return BLOBS + key_of(sha256)


def read_listing(file: BinaryIO) -> Iterator[ListedFile]:
    """Every file of the list. Raises BrokenSet for a line that no backup writes."""
    while line := file.readline(MAX_LINE_BYTES):
        yield _listed(line)


def _listed(line: bytes) -> ListedFile:
    try:
        name, size, sha256 = json.loads(line)
    except ValueError:
        raise BrokenSet(f"{LISTING} has a line that no backup writes.") from None
    listed = ListedFile(str(name), int(size), str(sha256))
    of_blob = is_digest(listed.sha256) and listed.name == blob_name(listed.sha256)
    if listed.line() != line or not (of_blob or listed.name == DUMP):
        raise BrokenSet(f"{LISTING} has a line that no backup writes.")
    return listed


@dataclass(frozen=True)
class Manifest:
    """What a set holds, and of which moment.

    `known_at` is the instant before which everything that was begun is in the set
    (UTC, ISO 8601); `chains` are number and hash of each audit chain's last event;
    `left_out` are digests whose bytes were not as recorded and are not in the set.
    """

    known_at: str
    postgresql: str
    migrations: list[str]
    chains: dict[str, tuple[int, str]]
    blobs: int
    blob_bytes: int
    listing: ListedFile
    left_out: list[str] = field(default_factory=list)

    def as_bytes(self) -> bytes:
        """The file, the same bytes for the same facts."""
        kept = {"srm_backup": FORMAT, **asdict(self)}
        return json.dumps(kept, indent=1, sort_keys=True).encode() + b"\n"

    @property
    def instant(self) -> dt.datetime:
        """`known_at` as an instant."""
        return dt.datetime.fromisoformat(self.known_at)


def read_manifest(body: bytes) -> Manifest:
    """Raises BrokenSet for what no backup of this format writes."""
    try:
        facts: dict[str, Any] = json.loads(body)
        edition = facts.pop("srm_backup")
        facts["listing"] = ListedFile(**facts["listing"])
        facts["chains"] = {name: tuple(last) for name, last in facts["chains"].items()}
        manifest = Manifest(**facts)
        if manifest.instant.tzinfo is None or manifest.listing.name != LISTING:
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BrokenSet(f"{MANIFEST} is none that a backup writes.") from None
    if edition != FORMAT:
        raise BrokenSet(f"The set has format {edition}; this version reads {FORMAT}.")
    return manifest
