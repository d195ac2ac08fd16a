"""AWS's services as a confined process read them out of its component definitions."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from controls.confined import Heavy, Reader
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.oscal.component_parsing import MAX_ALL_BYTES, MAX_FILES

MAX_ARCHIVE_BYTES = 25_000_000
COMPONENTS = Reader(
    module="controls.oscal.component_parsing",
    name="answer_services",
    memory=500_000_000,
    processor=30,
    seconds=60,
    answer=20_000_000,
)


@dataclass(frozen=True)
class ServiceFacts:
    """What AWS's files say of one service; lists in the order of the files.

    `names` are those that AWS sells it by, `prefixes` those of its endpoints, ARNs and
    events; `stage` is where it is in its life, such as `generally-available`.
    """

    uuid: str
    aws_id: str
    title: str
    names: tuple[str, ...]
    iam_prefixes: tuple[str, ...]
    prefixes: tuple[str, ...]
    availability: tuple[str, ...]
    stage: str
    regions: tuple[str, ...]
    config_rules: tuple[str, ...]
    hub_controls: tuple[str, ...]
    file: str


@dataclass(frozen=True)
class PublishedServices:
    """All services of the files, and how many files there are."""

    services: tuple[ServiceFacts, ...]
    files: int


def read_components(body: BinaryIO) -> PublishedServices:
    """The services of a ZIP file. Raises Refused, naming what is wrong and where."""
    require_size(body.seek(0, 2))
    try:
        with COMPONENTS.read(body) as answer:
            return _services_of(answer)
    except Heavy:
        raise Refused(
            "These files take too much time or memory to read.", code="too_heavy"
        ) from None


def require_size(size_bytes: int) -> None:
    """Raise Refused for a ZIP file that is larger than it may be."""
    if size_bytes > MAX_ARCHIVE_BYTES:
        raise Refused(
            f"The file is larger than {size_in_words(MAX_ARCHIVE_BYTES)}.",
            code="too_large",
        )


def packed(folder: Path) -> BinaryIO:
    """The definitions of a folder as one ZIP file, read again from its beginning; a
    ZIP file as it is.

    The same files give the same bytes. Raises OSError, and Refused for a folder
    without any, or with more than may be read.
    """
    if folder.is_file():
        return folder.open("rb")
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise Refused(f"{folder} holds no file that ends in .json.", code="no_files")
    sizes = sum(file.stat().st_size for file in files)
    if len(files) > MAX_FILES or sizes > MAX_ALL_BYTES:
        raise Refused(f"{folder} holds more than can be read.", code="too_large")
    body: Any = TemporaryFile()  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            member = zipfile.ZipInfo(str(file.relative_to(folder)))
            archive.writestr(member, file.read_bytes(), zipfile.ZIP_DEFLATED)
    body.seek(0)
    return body  # type: ignore[no-any-return]


def _services_of(answer: IO[bytes]) -> PublishedServices:
    services = []
    while (record := _record(answer))[0] == "service":
        facts: dict[str, Any] = record[1]
        services.append(
            ServiceFacts(**{name: _fixed(value) for name, value in facts.items()})
        )
    return PublishedServices(tuple(services), record[1])


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _record(answer: IO[bytes]) -> list[Any]:
    """The next record. Raises Refused where the reader refused the files."""
    line = answer.readline()
    record: list[Any] = json.loads(line) if line else ["nothing"]
    if record[0] == "refused":
        raise Refused(record[1], code="no_components")
    if record[0] not in {"service", "end"}:
        raise Heavy("no end")
    return record
