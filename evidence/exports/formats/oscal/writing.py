"""OSCAL as bytes: stable UUIDs, instants, and JSON written piece by piece.

A list that may be long comes as an iterator: one piece of it is in memory at a time.
What holds nothing is left out, since OSCAL allows no empty list and no empty text.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from controls.models import System

OSCAL_VERSION = "1.2.3"
Node = dict[str, Any]


class Names:
    """UUIDs of the things of one system: version 5 in the namespace of its own UUID."""

    def __init__(self, system: System) -> None:
        self.namespace = system.uuid

    def of(self, *path: str) -> str:
        """The UUID of what a path of words names; a slash in a word is no step."""
        words = (word.replace("%", "%25").replace("/", "%2F") for word in path)
        return str(uuid.uuid5(self.namespace, "/".join(words)))


def instant(moment: dt.datetime) -> str:
    """As OSCAL writes it: in UTC, ending in Z."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def start_of(system: System, day: dt.date) -> str:
    """The first instant of a day in the system's zone."""
    return instant(dt.datetime.combine(day, dt.time(), tzinfo=system.zone))


def end_of(system: System, day: dt.date) -> str:
    """The first instant after a day in the system's zone."""
    return instant(system.end_of_day(day))


def write_document(file: BinaryIO, root: str, document: Mapping[str, Any]) -> None:
    """The whole document below its root key, a line for each piece of a long list."""
    for piece in _pieces({root: document}):
        file.write(piece)
    file.write(b"\n")


def _pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value; nothing at all where it holds nothing."""
    if isinstance(value, Iterator):
        wholes = (iter((piece,)) for piece in map(_whole, value) if piece)
        yield from _joined(wholes, b"[\n", b",\n", b"\n]")
    elif isinstance(value, Mapping):
        members = (
            _named(orjson.dumps(key), _pieces(member)) for key, member in value.items()
        )
        yield from _joined(members, b"{", b",", b"}")
    elif isinstance(value, list):
        yield from _joined(map(_pieces, value), b"[", b",", b"]")
    elif value is not None and value != "":
        yield orjson.dumps(value)


def _named(key: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        yield piece if number else key + b":" + piece


def _joined(
    members: Iterable[Iterator[bytes]], opening: bytes, between: bytes, closing: bytes
) -> Iterator[bytes]:
    begun = False
    for member in members:
        if first := next(member, b""):
            yield (between if begun else opening) + first
            yield from member
            begun = True
    if begun:
        yield closing


def _whole(value: Any) -> bytes:
    kept = _kept(value)
    return b"" if kept is None else orjson.dumps(kept)


def _kept(value: Any) -> Any:
    """What of a value holds something; None where nothing does."""
    if isinstance(value, str):  # most are; the plain types are told apart the fastest
        return value or None
    if isinstance(value, dict):
        members = ((key, _kept(member)) for key, member in value.items())
        return {key: member for key, member in members if member is not None} or None
    if isinstance(value, list):
        return [kept for kept in map(_kept, value) if kept is not None] or None
    return value
