"""Which services of ours and which regions a list means, in AWS's own words.

A list is pasted or sent as CSV or XLSX: names as AWS sells or publishes them, its ids
and prefixes, our own names, region codes and the names of regions.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import BinaryIO

from botocore.loaders import create_loader

from controls.errors import Refused
from controls.models import PublishedService, Service
from controls.models.services import Provider
from controls.reference.service_names import names_of_service, plain_name
from controls.spreadsheets import MAX_BYTES, Line, lines_of, require_one_sheet

MAX_LIST_LINES = 5000
MAX_LIST_TEXT = 300_000  # characters of a pasted list
MAX_NAME = 200  # characters of one name that are looked at
BULLET = re.compile(r"^(?:[\s•◦▪*·–—-]+|\d{1,3}[.)]\s+)+")
BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
INSIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
BETWEEN = re.compile(r"[\t;,|]")
REGION_CODE = re.compile(r"(?<![\w-])[a-z]{2}(?:-[a-z]+)+-\d(?![\w-])")
# a resource of AWS Config or of Resource Explorer: `AWS::S3::Bucket`, `s3:bucket`
RESOURCE = re.compile(r"^(?:aws::)?([\w-]+)::?[\w:/-]+$", re.IGNORECASE)
SERVICE_HEADINGS = frozenset(
    {"service", "services", "service name", "aws service", "aws services", "name"}
)
REGION_HEADINGS = frozenset(
    {"region", "regions", "region name", "region code", "aws region", "aws regions"}
)
SCOPE_HEADINGS = frozenset({"scope", "in scope", "in scope?", "status", "covered"})
IN_SCOPE = frozenset({"yes", "y", "true", "1", "x", "in scope", "✓", "✔", "covered"})
NEAREST = 3
NEARLY = 0.7  # of 1, as difflib compares: a letter or two of a name


@dataclass(frozen=True)
class ListedName:
    """One name of a list and the line it stands on (from 1)."""

    line: int
    text: str


@dataclass(frozen=True)
class NameMeaning:
    """What a name of a list means: one service, one region, or neither.

    `candidates`: services that it may mean, or that are called nearly so; `excluded`:
    its own line says that it is not in scope.
    """

    name: ListedName
    service: Service | None = None
    region: str = ""
    candidates: tuple[Service, ...] = ()
    excluded: bool = False

    @property
    def is_known(self) -> bool:
        """Whether it means one service or one region."""
        return self.service is not None or bool(self.region)


@dataclass(frozen=True)
class NamesOfLine:
    """The names on one line of a list: `whole` first, else its `pieces`."""

    line: int
    whole: str
    pieces: tuple[str, ...]
    excluded: bool = False


def lines_of_text(text: str) -> list[NamesOfLine]:
    """The lines of a pasted list, numbered from 1; empty ones are counted and left out.

    Bullets, numbers of a list and a byte order mark are no part of a name. Raises
    Refused beyond MAX_LIST_LINES lines or MAX_LIST_TEXT characters.
    """
    if len(text) > MAX_LIST_TEXT:
        raise Refused(f"The list has more than {MAX_LIST_TEXT:,} characters.")
    lines = []
    for number, line in enumerate(text.replace("\ufeff", "").splitlines(), 1):
        whole = BULLET.sub("", line).strip()
        if whole:
            pieces = tuple(part.strip() for part in BETWEEN.split(whole))
            lines.append(NamesOfLine(number, whole, pieces))
    return _bounded(lines)


def lines_of_file(file: BinaryIO, name: str) -> list[NamesOfLine]:
    """The lines of a CSV or XLSX file of one sheet.

    Where its first line names columns of services or regions only these are read, and
    a column “In scope” that says anything but yes excludes its line. Raises Refused,
    for a broken cell with its place.
    """
    content = file.read(MAX_BYTES + 1)
    lines: list[NamesOfLine] = []
    columns: tuple[int, ...] = ()
    scope: int | None = None
    for index, line in enumerate(require_one_sheet(lines_of(content, name))):
        headings = [" ".join(cell.lower().split()) for cell in line.cells]
        if index == 0 and set(headings) & (SERVICE_HEADINGS | REGION_HEADINGS):
            columns = tuple(
                column
                for column, heading in enumerate(headings)
                if heading in SERVICE_HEADINGS | REGION_HEADINGS
            )
            scope = next(
                (n for n, heading in enumerate(headings) if heading in SCOPE_HEADINGS),
                None,
            )
            continue
        read = columns or tuple(range(len(line.cells)))
        _refuse_broken(line, read)
        pieces = tuple(cell for cell in (line.cell(n) for n in read) if cell)
        if pieces:
            word = line.cell(scope).lower()
            excluded = scope is not None and word not in IN_SCOPE
            whole = pieces[0] if len(pieces) == 1 else ""
            lines.append(NamesOfLine(line.number, whole, pieces, excluded))
    return _bounded(lines)


def _refuse_broken(line: Line, columns: Sequence[int]) -> None:
    fault = line.fault_in(columns)
    if fault:
        place = str(line.place(fault.column))
        raise Refused(f"{place[0].upper()}{place[1:]}: {fault.sentence}")


def _bounded(lines: list[NamesOfLine]) -> list[NamesOfLine]:
    if len(lines) > MAX_LIST_LINES:
        raise Refused(f"The list has more than {MAX_LIST_LINES:,} lines.")
    return lines


class AwsNames:
    """AWS's services by every name that it or we give them. Two statements."""

    def __init__(self) -> None:
        services = Service.objects.filter(provider=Provider.AWS)
        self._services = {service.pk: service for service in services}
        # the best names first: where they name one service, worse ones are not asked
        self._tiers: tuple[defaultdict[str, set[int]], ...] = tuple(
            defaultdict(set) for _ in range(3)
        )
        own, sold, prefixes = self._tiers
        for service in self._services.values():
            _note(own, service.pk, [service.slug, *service.aliases, service.name])
            _note(sold, service.pk, names_of_service(service))
        for row in PublishedService.objects.all():
            if row.service_id in self._services:
                _note(own, row.service_id, [row.aws_id, row.title])
                _note(sold, row.service_id, row.names)
                _note(prefixes, row.service_id, [*row.iam_prefixes, *row.prefixes])

    def meanings(self, lines: Iterable[NamesOfLine]) -> list[NameMeaning]:
        """What each name means, in the order of the list; marks such as ✓ are none."""
        return [meaning for line in lines for meaning in self._of_line(line)]

    def services_of(self, text: str) -> list[Service]:
        """The services that a name may mean; exactly one where it is known."""
        for names in self._tiers:
            keys: set[int] = set()
            for variant in _variants(text):
                keys |= names.get(_key(variant), set())
                if keys:
                    break
            if keys:
                services = (self._services[key] for key in keys)
                return sorted(services, key=lambda service: service.name)
        return []

    def _of_line(self, line: NamesOfLine) -> Iterator[NameMeaning]:
        services = self.services_of(line.whole) if line.whole else []
        if len(services) == 1:
            name = ListedName(line.line, line.whole[:MAX_NAME])
            yield NameMeaning(name, service=services[0], excluded=line.excluded)
            return
        for piece in line.pieces:
            text = BULLET.sub("", piece).strip()
            if any(letter.isalnum() for letter in text):
                name = ListedName(line.line, text[:MAX_NAME])
                for meaning in self._meanings(name):
                    yield replace(meaning, excluded=line.excluded)

    def _meanings(self, name: ListedName) -> list[NameMeaning]:
        """What one piece means: a service, regions by code or name, or neither."""
        services = self.services_of(name.text)
        if len(services) == 1:
            return [NameMeaning(name, service=services[0])]
        if regions := regions_of(name.text):
            return [NameMeaning(name, region=region) for region in regions]
        return [
            NameMeaning(name, candidates=tuple(services or self._nearly(name.text)))
        ]

    def _nearly(self, text: str) -> list[Service]:
        """At most three services that are called nearly so, the best first."""
        own = self._tiers[0]
        near = difflib.get_close_matches(_key(text), list(own), NEAREST, NEARLY)
        keys = [key for name in near for key in sorted(own[name])]
        return [self._services[key] for key in dict.fromkeys(keys)][:NEAREST]


def _note(
    names: defaultdict[str, set[int]], service: int, called: Iterable[str]
) -> None:
    for name in called:
        if key := _key(name):
            names[key].add(service)


def _key(name: str) -> str:
    return plain_name(name.replace("&", " and "))


def _variants(text: str) -> Iterator[str]:
    """A name as it stands, without what is in brackets, and what is in them; of a
    resource type its service."""
    yield text
    yield BRACKETS.sub(" ", text)
    yield from INSIDE.findall(text)
    if resource := RESOURCE.match(text):
        yield resource[1]


def regions_of(text: str) -> list[str]:
    """The codes of the regions that a text names, by their codes or by one name."""
    codes = list(dict.fromkeys(REGION_CODE.findall(text.lower())))
    named = _regions_by_name().get(_region_key(text))
    return codes or ([named] if named else [])


@cache
def region_names() -> dict[str, str]:
    """AWS's names of its public regions by their codes, as botocore brings them."""
    partitions = create_loader().load_data("endpoints")["partitions"]
    return {
        code: facts["description"]
        for partition in partitions
        if partition["partition"] in {"aws", "aws-cn", "aws-us-gov"}
        for code, facts in partition["regions"].items()
    }


@cache
def _regions_by_name() -> dict[str, str]:
    """Codes by every spelling of a region's name; one place of two regions is none."""
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for code, name in region_names().items():
        for spelling in (name, *INSIDE.findall(name)):
            codes[_region_key(spelling)].add(code)
    return {key: of.pop() for key, of in codes.items() if len(of) == 1}


def _region_key(text: str) -> str:
    text = re.sub(r"\bn\.\s*", "northern ", text.lower())
    text = re.sub(r"\b(eu|europe)\b", "eu", text.replace("aws ", ""))
    text = re.sub(r"\bregion\b", "", text.replace("ã", "a"))
    return re.sub(r"[^a-z0-9]+", "", text)
