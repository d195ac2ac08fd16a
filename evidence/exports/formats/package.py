"""The evidence package: a BagIt 1.0 zip (RFC 8493) that verifies without us.

Evidence files by control, pages to read offline, lists, the exports of the same clocks,
the audit chain, both manifests signed by our key. Written whole or not at all: a file
of evidence that is missing or was changed fails it (AU-09). The same scope and key give
the same bytes (AU-10).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from django.template.loader import render_to_string

from evidence.exports import package
from evidence.exports.formats.packaged_exports import ExportsUnderWay, exports_beside
from evidence.exports.package import verify
from evidence.exports.package.archive import BagArchive, TooLarge
from evidence.exports.package.audit_log import AuditLog
from evidence.exports.package.controls import INDEX_COLUMNS, Controls
from evidence.exports.package.files import Files
from evidence.exports.package.report_files import COLUMNS as RELEASED_COLUMNS
from evidence.exports.package.report_files import (
    DISCLOSURE_COLUMNS,
    disclosure_rows,
    released_reports,
)
from evidence.exports.package.requests import COLUMNS as REQUEST_COLUMNS
from evidence.exports.package.requests import PackagedRequest, requests_of
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.exports.rows.heading import Heading, heading_of
from evidence.exports.rows.scope import (
    ExportScope,
    NotWhole,
    Progress,
)
from evidence.exports.sheets import Value
from evidence.exports.sheets.records import (
    POPULATIONS,
    population_rows,
)
from evidence.exports.sheets.reports import REPORTS, report_rows
from evidence.exports.sheets.responses import RESPONSES, response_rows
from evidence.models import Population
from evidence.signing.checkpoints import NotOurs, contradiction, newest_checkpoint
from evidence.signing.keys import (
    KeyUnusable,
    SigningKey,
    in_groups,
    known_keys,
    signing_key,
)

PIECE = 1 << 20
HERE = Path(package.__file__).parent
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
Rows = Iterable[Iterable[object]]


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole package. Raises NotWhole, naming the file; StoreFull."""
    try:
        key = signing_key()
        _write(scope, file, progress, key)
    except (TooLarge, KeyUnusable) as refusal:
        raise NotWhole(f"The package was not made. {refusal}") from refusal


def _write(
    scope: ExportScope, file: BinaryIO, progress: Progress, key: SigningKey
) -> None:
    scope = scope.gathered()
    with exports_beside(scope) as exports:
        _write_bag(scope, file, progress, key, exports)


def _write_bag(
    scope: ExportScope,
    file: BinaryIO,
    progress: Progress,
    key: SigningKey,
    exports: ExportsUnderWay,
) -> None:
    heading = heading_of(scope)
    folder = f"{heading.slug}-evidence-package-{heading.on}"
    archive = BagArchive(file, folder)
    files = Files(scope, archive)
    controls = Controls(scope, files, heading)
    controls.write(progress)
    _add_populations(scope, files, controls.keys)
    requests = requests_of(scope, files)
    reports = list(report_rows(scope, controls.labels))
    released = released_reports(scope, files)
    _add_lists(archive, controls, requests, reports)
    if released:
        rows = [report.cells() for report in released]
        archive.add("data/reports/released.csv", _csv(RELEASED_COLUMNS, rows))
    if scope.reports:
        rows_of_disclosures = disclosure_rows(scope)
        name = "data/reports/disclosures.csv"
        archive.add(name, _csv(DISCLOSURE_COLUMNS, rows_of_disclosures))
    look = partial(progress, len(controls.lines), len(controls.lines))
    written, left_out = _add_exports(archive, exports, look)
    log = AuditLog(scope)
    archive.add(verify.AUDIT_LOG, log.lines())
    archive.add(verify.AUDIT_HEAD, [log.head_file()])
    _add_checkpoint(scope, archive, log)
    contents = {
        "heading": heading,
        "controls": controls.lines,
        "requests": requests,
        "reports": reports,
        "released": released,
        "withheld": sorted(files.withheld.values()),
        "log": log,
        "exports": written,
        "left_out": left_out,
        "fingerprint": in_groups(key.public.fingerprint),
    }
    page = render_to_string("evidence/package/index.html", contents)
    archive.add("data/index.html", [page.encode()])
    archive.add("data/package.css", [(HERE / "package.css").read_bytes()])
    _add_tags(archive, heading, key)
    archive.close()


def _add_populations(scope: ExportScope, files: Files, keys: list[int]) -> None:
    """The files that populations about days of the window were read from."""
    since, until = scope.window
    chosen = Population.objects.filter(
        system=scope.system,
        requirement__implementation__in=keys,
        known_from__lt=scope.known_at,
        starts__lte=until,
        ends__gte=since,
    )
    for population in chosen.select_related("blob").order_by("pk"):
        files.place_population(population)


def _add_lists(
    archive: BagArchive,
    controls: Controls,
    requests: list[PackagedRequest],
    reports: list[list[Value]],
) -> None:
    request_rows = [cells for request in requests for cells in request.cells()]
    drawn_rows = population_rows(controls.scope, controls.keys)
    answered_rows = response_rows(controls.scope, controls.labels, controls.answers)
    for name, columns, rows in (
        ("index.csv", INDEX_COLUMNS, controls.index),
        ("requests.csv", REQUEST_COLUMNS, request_rows),
        ("populations.csv", [c.title for c in POPULATIONS.columns], drawn_rows),
        ("responses.csv", [c.title for c in RESPONSES.columns], answered_rows),
        ("provider-documents.csv", [c.title for c in REPORTS.columns], reports),
    ):
        archive.add(f"data/{name}", _csv(columns, cast("Rows", rows)))


def _csv(columns: Iterable[str], rows: Rows) -> Iterator[bytes]:
    yield EXCEL_MARK.encode()
    text = io.StringIO()
    writer = csv.writer(text)
    for row in (columns, *rows):
        cells = ("" if cell is None else str(cell) for cell in row)
        writer.writerow([inert(cell) for cell in cells])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _add_exports(
    archive: BagArchive, exports: ExportsUnderWay, look: Callable[[], None]
) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of those that were written, and of those that cannot be, with why."""
    written, left_out = [], []
    for export in exports.made(look):
        if export.left_out:
            left_out.append((export.name, export.left_out))
            continue
        pieces = iter(partial(export.file.read, PIECE), b"")
        archive.add(f"data/exports/{export.name}", pieces)
        written.append(export.name)
    return written, left_out


def _add_checkpoint(scope: ExportScope, archive: BagArchive, log: AuditLog) -> None:
    """The newest one from before the scope's instant. Raises NotWhole where the log
    contradicts it."""
    try:
        kept = newest_checkpoint(log.chain, known_keys(), before=scope.known_at)
        wrong = contradiction(kept[0]) if kept else ""
    except NotOurs as refusal:
        wrong = " ".join(refusal.messages)
    if wrong:
        raise NotWhole(
            f"The package was not made: the audit log is damaged: {wrong.rstrip('.')}."
        )
    if kept and kept[0].size <= log.size:
        archive.add(verify.CHECKPOINT, [kept[1]])


def _add_tags(archive: BagArchive, heading: Heading, key: SigningKey) -> None:
    """What BagIt wants beside the data, how to verify it, and the signatures."""
    payload = dict(archive.members)
    size = sum(member.size for member in payload.values())
    info = {
        "Source-Organization": "SRM",
        "External-Identifier": heading.slug,
        "Bagging-Date": heading.known_at[:10],
        "Known-At": heading.known_at,
        "About-Day": heading.on,
        "Audit-Window": f"{heading.window_start} to {heading.window_end}",
        "Rules": str(heading.rules),
        "Signing-Key": key.public.fingerprint,
        "Payload-Oxum": f"{size}.{len(payload)}",
    }
    lines = "".join(f"{label}: {text}\n" for label, text in info.items())
    manifest = _manifest(archive, payload)
    guide = render_to_string(
        "evidence/package/VERIFY.md",
        {"heading": heading, "fingerprint": key.public.fingerprint},
    )
    tags = {
        "bagit.txt": BAGIT,
        "bag-info.txt": lines.encode(),
        "VERIFY.md": guide.encode(),
        "verify.py": (HERE / "verify.py").read_bytes(),
        verify.KEY: key.public.pem.encode(),
        verify.MANIFEST: manifest,
        verify.MANIFEST + verify.SIGNATURE: key.sign(manifest),
    }
    for name, data in tags.items():
        archive.add(name, [data])
    tag_manifest = _manifest(archive, tags)
    archive.add(verify.TAG_MANIFEST, [tag_manifest])
    archive.add(verify.TAG_MANIFEST + verify.SIGNATURE, [key.sign(tag_manifest)])


def _manifest(archive: BagArchive, names: Iterable[str]) -> bytes:
    lines = [f"{archive.members[name].sha256}  {name}\n" for name in sorted(names)]
    return "".join(lines).encode()
