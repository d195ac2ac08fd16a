"""Archives: limits read from the directory before anything is unpacked."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from evidence.files.checks.kinds import refuse

MAX_MEMBERS = 2000
MAX_TOTAL = 1_000_000_000  # bytes unpacked
MAX_MEMBER = 250_000_000  # bytes unpacked
MAX_RATIO = 100
SMALL = 1_000_000  # bytes below which a high ratio is harmless
LARGE = 20_000_000  # the same for an archive as a whole
IN_MEMORY = 4_000_000  # bytes; a larger member is unpacked to a temporary file
CHUNK = 256 * 1024
MAX_BOOKKEEPING = 1_000_000  # bytes of one file that an operating system adds
# What Finder and Explorer add to an archive by themselves, by name and first bytes:
# nothing that anybody brought. What only bears the name is checked as any other file.
BOOKKEEPING = {
    ".ds_store": b"\0\0\0\1Bud1",
    "thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "desktop.ini": b"[.ShellClassInfo]",
}
APPLE_DOUBLE = b"\0\5\x16\7"  # of a file “._” and the name of another one
TAIL = 66_000  # bytes in which the end of a directory may lie
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def refuse_archive_besides(file: BinaryIO, name: str, kind: str) -> None:
    """A file that is an archive as well shows one thing and carries another."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    if b"PK\x05\x06" in file.read():
        raise refuse(name, f"is a {kind} and an archive at once")


def contents(
    file: BinaryIO, name: str, look: Callable[[BinaryIO, str], set[str]]
) -> set[str]:
    """Flags of all members, each given to `look`. Raises BadContent.

    Folders, and what an operating system adds by itself, are passed over.
    """
    flags: set[str] = set()
    brought = 0
    with opened(file, name) as archive:
        for member in archive.infolist():
            if is_folder(member):
                continue
            with unpacked(archive, member, name) as inside:
                if not _is_bookkeeping(member, inside):
                    brought += 1
                    flags |= look(inside, f"{name} / {member.filename}")
    if not brought:
        raise refuse(name, "holds no file")
    return flags


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Also as some programs of Windows write it, with a backslash."""
    by_backslash = member.filename.endswith("\\") and member.file_size == 0
    return member.is_dir() or by_backslash


def _is_bookkeeping(member: zipfile.ZipInfo, inside: BinaryIO) -> bool:
    """Whether an operating system added it, by name and first bytes; rewinds."""
    last = member.filename.replace("\\", "/").rpartition("/")[2].lower()
    begins = APPLE_DOUBLE if last.startswith("._") else BOOKKEEPING.get(last)
    if begins is None or member.file_size > MAX_BOOKKEEPING:
        return False
    head = inside.read(len(begins))
    inside.seek(0)
    return head == begins


def opened(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """The archive, when its directory keeps every limit. Raises BadContent."""
    head = file.read(4)
    if head != b"PK\x03\x04":
        raise refuse(name, "is not the kind of file that its ending says")
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (*FAULTS, ValueError, UnicodeDecodeError) as broken:
        raise refuse(name, "is a damaged archive") from broken
    _refuse_directory(archive.infolist(), name)
    return archive


def _refuse_directory(members: list[zipfile.ZipInfo], name: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise refuse(name, f"holds more than {MAX_MEMBERS} files")
    if len({member.filename for member in members}) < len(members):
        raise refuse(name, "holds two files of the same name")
    _refuse_total(members, name)
    ends = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        _refuse_member(member, name)
        if member.header_offset < ends:
            raise refuse(name, "holds files that overlap")
        ends = member.header_offset + 30 + member.compress_size


def _refuse_total(members: list[zipfile.ZipInfo], name: str) -> None:
    """Many small members are a bomb as one large one is."""
    total = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if total > MAX_TOTAL:
        raise refuse(name, f"unpacks to more than {MAX_TOTAL // 1_000_000} MB")
    if total > LARGE and total / packed > MAX_RATIO:
        raise refuse(name, f"unpacks over {MAX_RATIO}-fold")


def _refuse_member(member: zipfile.ZipInfo, name: str) -> None:
    inside = member.filename
    if member.flag_bits & 0x1:
        raise refuse(name, "is encrypted, so nobody could review it")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise refuse(name, f"holds a link (“{inside}”)")
    if member.compress_type not in METHODS:
        raise refuse(name, f"holds “{inside}”, packed in a way that is not taken")
    if _leaves(inside):
        raise refuse(name, f"holds “{inside}”, which points outside the archive")
    if member.file_size > MAX_MEMBER:
        raise refuse(name, f"holds “{inside}”, which unpacks beyond the limit")
    packed = max(1, member.compress_size)
    if member.file_size > SMALL and member.file_size / packed > MAX_RATIO:
        raise refuse(name, f"holds “{inside}”, which unpacks over {MAX_RATIO}-fold")


def _leaves(path: str) -> bool:
    """Whether a member's name is absolute, has a drive or climbs out."""
    parts = path.replace("\\", "/").split("/")
    return path.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]


@contextmanager
def unpacked(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str
) -> Iterator[BinaryIO]:
    """One member's bytes, never more than its directory entry says."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as spooled:
        content = cast("BinaryIO", spooled)
        try:
            _unpack(archive, member, name, content)
        except FAULTS as broken:
            reason = f"is a damaged archive (“{member.filename}”)"
            raise refuse(name, reason) from broken
        content.seek(0)
        yield content


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, into: BinaryIO
) -> None:
    size = 0
    with archive.open(member) as inside:
        while chunk := inside.read(CHUNK):
            size += len(chunk)
            if size > member.file_size:
                raise refuse(name, "unpacks to more than it says")
            into.write(chunk)
