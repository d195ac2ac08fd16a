"""The text of controls as a confined process read it out of a catalog file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from controls.confined import Heavy, Reader
from controls.errors import Refused
from controls.grammar import size_in_words

MAX_CATALOG_BYTES = 25_000_000
TEXTS = Reader(
    module="controls.oscal.text_parsing",
    name="answer_texts",
    memory=700_000_000,
    processor=20,
    seconds=30,
    answer=20_000_000,
    libraries=("orjson",),
)


@dataclass(frozen=True)
class TextOfControl:
    """What a file says of one control; parts and parameters as `ControlText` has."""

    ref_id: str
    statements: list[dict[str, Any]]
    params: Mapping[str, Any]
    guidance: str


@dataclass(frozen=True)
class CatalogTexts:
    """All texts of one file, by the ids of their controls."""

    version: str
    title: str
    last_modified: str
    texts: Mapping[str, TextOfControl]


def read_texts(body: BinaryIO) -> CatalogTexts:
    """The texts of a catalog. Raises Refused, naming what is wrong and where."""
    require_size(body.seek(0, 2))
    try:
        with TEXTS.read(body, MAX_CATALOG_BYTES) as answer:
            return _texts_of(answer)
    except Heavy:
        raise Refused(
            "This file takes too much time or memory to read.", code="too_heavy"
        ) from None


def require_size(size_bytes: int) -> None:
    """Raise Refused for a file that is larger than a catalog may be."""
    if size_bytes > MAX_CATALOG_BYTES:
        raise Refused(
            f"The file is larger than {size_in_words(MAX_CATALOG_BYTES)}.",
            code="too_large",
        )


def _texts_of(answer: IO[bytes]) -> CatalogTexts:
    _, version, title, last_modified = _record(answer, "edition")
    texts: dict[str, TextOfControl] = {}
    while (record := _record(answer, "control", "end"))[0] != "end":
        control = record[1]
        texts[control["id"]] = TextOfControl(
            control["id"],
            control["statements"],
            control["params"],
            control["guidance"],
        )
    return CatalogTexts(version, title, last_modified, texts)


def _record(answer: IO[bytes], *kinds: str) -> list[Any]:
    """The next record. Raises Refused where the reader refused the file."""
    line = answer.readline()
    record: list[Any] = json.loads(line) if line else ["nothing"]
    if record[0] == "refused":
        raise Refused(record[1], code="no_catalog")
    if record[0] not in kinds:
        raise Heavy("no end")
    return record
