"""Which services and regions an account uses, by what AWS's own tools say of it.

Read are: resources found by Resource Explorer (CSV), AWS Config's counts of discovered
resources (JSON), cost and usage reports and Cost Explorer's table (CSV), and plain
names. What they mean is looked up among the services that we know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from controls.errors import Refused
from controls.models import Service
from controls.reference.aws_names import (
    REGION_CODE,
    AwsNames,
    ListedName,
    lines_of_text,
)
from controls.spreadsheets import (
    MAX_BYTES,
    Limits,
    Line,
    decoded,
    lines_of,
    require_one_sheet,
)

MAX_USES = 20_000  # lines of a file
LINES_KEPT = 5  # of each service, to find it again in the file
# The first of these columns that a file has says what is used.
USE_HEADINGS = (
    "resource type",
    "resourcetype",
    "lineitem/productcode",
    "line_item_product_code",
    "product/productname",
    "product_product_name",
    "service",
    "service name",
    "product",
    "arn",
    "identifier",
)
REGION_HEADINGS = (
    "region",
    "aws region",
    "product/regioncode",
    "product_region_code",
    "product/region",
    "lineitem/availabilityzone",
    "line_item_availability_zone",
)
MONEY = re.compile(r"\s*\(\$\)$")
ARN = re.compile(r"^arn:aws[\w-]*:([\w-]+):([\w-]*):")
TOTALS = frozenset({"total costs", "total cost", "total", "tax", "service total"})
# Kinds of resources that bear another service's prefix, in Config's and Resource
# Explorer's words without hyphens.
OTHERS = {
    "ec2:volume": "ebs",
    "ec2:snapshot": "ebs",
    "ec2:vpc": "vpc",
    "ec2:subnet": "vpc",
    "ec2:securitygroup": "vpc",
    "ec2:securitygrouprule": "vpc",
    "ec2:networkacl": "vpc",
    "ec2:networkinterface": "vpc",
    "ec2:routetable": "vpc",
    "ec2:internetgateway": "vpc",
    "ec2:natgateway": "vpc",
    "ec2:vpcendpoint": "vpc",
    "ec2:flowlog": "vpc",
    "ec2:dhcpoptions": "vpc",
}


@dataclass(frozen=True)
class SeenUse:
    """One line that says that something is used, perhaps where."""

    name: ListedName
    region: str = ""


@dataclass
class ServiceUse:
    """A service that an account uses, the regions named, and where it is said."""

    service: Service
    regions: set[str] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)  # text: first line
    count: int = 0


@dataclass(frozen=True)
class AccountUses:
    """What an account uses by slug, and the names that mean nothing of ours."""

    uses: dict[str, ServiceUse]
    unknown: tuple[ListedName, ...]


def uses_in_text(text: str) -> list[SeenUse]:
    """Pasted: Config's counts in JSON, or plain names, one a line. Raises Refused."""
    if text.replace("\ufeff", "").lstrip().startswith(("{", "[")):
        return list(_of_config(text))
    return [
        SeenUse(ListedName(line.line, piece))
        for line in lines_of_text(text)
        for piece in ([line.whole] if "::" in line.whole else line.pieces)
        if any(letter.isalnum() for letter in piece)
    ]


def uses_in_file(file: BinaryIO, name: str) -> list[SeenUse]:
    """Of a JSON, CSV or XLSX file. Raises Refused, naming the place of a fault."""
    content = file.read(MAX_BYTES + 1)
    if not name.lower().endswith(".json"):
        limits = Limits(max_columns=400)  # a cost report has a column for all it knows
        return list(_of_table(require_one_sheet(lines_of(content, name, limits))))
    if len(content) > MAX_BYTES:
        raise Refused("The file is larger than 5 MB.")
    try:
        return uses_in_text(decoded(content))
    except ValueError as fault:
        raise Refused("The file is no text.") from fault


def _of_config(text: str) -> Iterator[SeenUse]:
    """Of `aws configservice get-discovered-resource-counts`."""
    try:
        body = json.loads(text.replace("\ufeff", ""))
    except (ValueError, RecursionError) as fault:
        raise Refused("This begins like JSON and cannot be read as such.") from fault
    counts = body.get("resourceCounts") if isinstance(body, dict) else body
    if not isinstance(counts, list) or len(counts) > MAX_USES:
        raise Refused("This JSON has no list “resourceCounts” of AWS Config.")
    for number, use_seen in enumerate(counts, 1):
        kind = use_seen.get("resourceType") if isinstance(use_seen, dict) else None
        if not isinstance(kind, str):
            raise Refused(f"Entry {number} of “resourceCounts” names no resourceType.")
        if use_seen.get("count", 1):
            yield SeenUse(ListedName(number, kind[:200]))


def _of_table(lines: Iterator[Line]) -> Iterator[SeenUse]:
    header = next(lines, None)
    if header is None:
        return
    headings = [" ".join(cell.lower().split()) for cell in header.cells]
    if any(MONEY.search(cell) for cell in header.cells):
        yield from _of_cost_explorer(header, lines)
        return
    use, region = _column(headings, USE_HEADINGS), _column(headings, REGION_HEADINGS)
    if use is None:
        yield from _cells(header, 0, None)
        use = 0
    for number, line in enumerate(lines):
        if number >= MAX_USES:
            raise Refused(f"The file has more than {MAX_USES:,} lines.")
        yield from _cells(line, use, region)


def _column(headings: list[str], names: tuple[str, ...]) -> int | None:
    return next((headings.index(name) for name in names if name in headings), None)


def _cells(line: Line, use: int, region: int | None) -> Iterator[SeenUse]:
    fault = line.fault_in((use, region))
    if fault:
        place = str(line.place(fault.column))
        raise Refused(f"{place[0].upper()}{place[1:]}: {fault.sentence}")
    if text := line.cell(use):
        yield SeenUse(ListedName(line.number, text[:200]), line.cell(region))


def _of_cost_explorer(header: Line, lines: Iterator[Line]) -> Iterator[SeenUse]:
    """A column for each service; one that costs nothing on any line is not used."""
    names = [MONEY.sub("", cell).strip() for cell in header.cells]
    paid: set[int] = set()
    for line in lines:
        paid |= {n for n, cell in enumerate(line.cells) if n and _is_money(cell)}
    for column in sorted(paid):
        if column < len(names) and names[column].lower() not in TOTALS:
            yield SeenUse(ListedName(header.number, names[column][:200]))


def _is_money(cell: str) -> bool:
    try:
        return float(cell.replace(",", "")) > 0
    except ValueError:
        return False


def uses_of(seen: list[SeenUse]) -> AccountUses:
    """The services that the lines mean, each once with its regions. Two statements."""
    names = AwsNames()
    by_text: dict[str, Service | None] = {}
    uses: dict[str, ServiceUse] = {}
    unknown: dict[str, ListedName] = {}
    for use_seen in seen:
        text = use_seen.name.text
        if text.lower() in TOTALS:
            continue
        if text not in by_text:
            by_text[text] = _service_of(text, names)
        service = by_text[text]
        if service is None:
            unknown.setdefault(text, use_seen.name)
            continue
        use = uses.setdefault(service.slug, ServiceUse(service))
        use.count += 1
        if len(use.names) < LINES_KEPT:
            use.names.setdefault(text, use_seen.name.line)
        arn = ARN.match(text)
        region = REGION_CODE.search((arn[2] if arn else use_seen.region).lower())
        if region:
            use.regions.add(region[0])
    return AccountUses(uses, tuple(unknown.values()))


def _service_of(text: str, names: AwsNames) -> Service | None:
    for spelling in _spellings(text):
        services = names.services_of(spelling)
        if len(services) == 1:
            return services[0]
    return None


def _spellings(text: str) -> Iterator[str]:
    """The name as it stands, then as bills, ARNs and kinds of resources write it."""
    if arn := ARN.match(text):
        kind = text[arn.end() :].partition(":")[2].partition("/")[0]
        yield OTHERS.get(f"{arn[1]}:{kind.replace('-', '')}", arn[1])
        return
    kind = re.sub(r"^aws::", "", text.lower()).replace("::", ":").replace("-", "")
    if kind in OTHERS:
        yield OTHERS[kind]
        return
    yield text
    yield re.sub(r"^(amazon|aws)", "", text, flags=re.IGNORECASE)
    yield text.partition(" - ")[0].partition("-")[0]
