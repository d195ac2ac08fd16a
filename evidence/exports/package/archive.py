"""Writes the zip of a package: streamed, in a form that `verify.py` recomputes."""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from evidence.exports.package.verify import (
    BLOCK,
    archive_end,
    block_head,
    directory_entry,
    local_head,
    local_tail,
)

PIECE = 1 << 18  # bytes of one member that are hashed at once, at least
TOO_LARGE = "“{name}” is too large for a package: a file in it holds less than 4 GiB."


class TooLarge(Exception):
    """A member of 4 GiB or more."""


@dataclass(frozen=True)
class Member:
    """A file of the package: its hex sha256 and its size in bytes."""

    sha256: str
    size: int


class BagArchive:
    """A zip with one folder, written from its first byte to its last.

    `members` are its files by their names in the folder. The same files in the same
    order give the same bytes: no time is kept and nothing is compressed.
    """

    def __init__(self, file: BinaryIO, folder: str) -> None:
        self._file, self._folder, self._at = file, folder, 0
        self._directory: list[bytes] = []
        self._folded: set[str] = set()
        self.members: dict[str, Member] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> Member:
        """Write a file of the package from its pieces, of any size each.

        Raises ValueError for a name that some disk would take for another one here,
        TooLarge, and whatever the pieces raise.
        """
        folded = unicodedata.normalize("NFKC", name).casefold()
        if folded in self._folded:
            raise ValueError(f"{name!r} is in the package already.")
        self._folded.add(folded)
        whole, begins = f"{self._folder}/{name}", self._at
        self._write(local_head(whole))
        digest, checksum, size = hashlib.sha256(), 0, 0
        rest: bytes | memoryview = b""
        for piece in _together(pieces):
            digest.update(piece)
            checksum = zlib.crc32(piece, checksum)
            size += len(piece)
            rest = self._write_blocks(rest, piece)
        self._write(block_head(len(rest), last=True))
        self._write(rest)
        try:
            self._write(local_tail(checksum, size))
        except OverflowError as overflow:
            raise TooLarge(TOO_LARGE.format(name=name)) from overflow
        self._directory.append(directory_entry(whole, checksum, size, begins))
        self.members[name] = Member(digest.hexdigest(), size)
        return self.members[name]

    def close(self) -> None:
        """Write the directory at the end; nothing is added after."""
        begins = self._at
        for entry in self._directory:
            self._write(entry)
        size = self._at - begins
        self._write(archive_end(len(self._directory), size, begins))

    def _write_blocks(
        self, rest: bytes | memoryview, piece: bytes
    ) -> bytes | memoryview:
        """Write the whole blocks in front; what is left is the last block or the
        beginning of another: BLOCK bytes at most, some where there were any.

        `rest` is what was left before. Nothing is put together for it: a byte that is
        copied is fetched from memory once more.
        """
        head, view = block_head(BLOCK, last=False), memoryview(piece)
        if rest:
            lacking = BLOCK - len(rest)
            if len(view) <= lacking:
                return b"".join((rest, piece))
            for part in (head, rest, view[:lacking]):
                self._write(part)
            view = view[lacking:]
        whole = max(0, len(view) - 1) // BLOCK * BLOCK
        for at in range(0, whole, BLOCK):
            self._write(head)
            self._write(view[at : at + BLOCK])
        return view[whole:]

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._at += len(data)


def _together(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of PIECE at least, but for the last one: a log has many
    short lines."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)
