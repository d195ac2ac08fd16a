"""Control status as CSV: one row per control, cells that no spreadsheet executes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from controls.display_names import PARTIES, layer_name
from controls.service_names import component_name, display_names
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.exports.rows.heading import heading_of
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import counted_documents
from evidence.exports.sheets.after_closing import changes_of, in_one_cell
from evidence.status.after_closing import by_control
from evidence.status.control_status import listed
from evidence.status.reasons import ABOUT_SERVICES

Names = Mapping[str, str]  # display names by slug
COLUMNS = (
    "control_id",
    "label",
    "title",
    "responsibility",
    "responsibility_source",
    "basis",
    "owner",
    "implementation_status",
    "applicability",
    "applicability_reason",
    "override",
    "aws_half",
    "customer_half",
    "verdict",
    "proven_by",
    "reasons",
    "period_result",
    "expected",
    "on_time",
    "late",
    "missed",
    "not_yet_due",
    "audited_days",
    "asserted_days",
    "awaited_days",
    "open_days",
    "providers",
    "evidence",
    "artifacts",
    "on",
    "known_at",
    "reference_version",
    "marks",
    "rules",
    "rules_then",
    "recorded_late",
    "within_grace",
    "cut_short",
    "waived",
    "changed_in_retrospect",
    "before_window",
    "after_window_within_grace",
    "unasked_days",
    "asked_from",
    "event_days_covered",
    "event_days_open",
    "event_days_not_yet_due",
    "blocked",
    "period_reasons",
    "system",
    "system_name",
    "window_start",
    "window_end",
    "regime_numbers",
    "window_closed",
    "after_closing",
    "answered",
    "responses",
    "controls_of_file",
)
# What stands in each row and is the same in all of them.
OF_THE_FILE = (
    "marks",
    "system",
    "system_name",
    "window_start",
    "window_end",
    "window_closed",
    "controls_of_file",
)

NAMES_OTHERS = "whose recorded coverage names other controls"
# In the order of their columns.
DAY_KINDS = ("audited", "asserted", "awaited", "open")


class _Line:
    """A file for `csv.writer` that hands back what it is given."""

    def write(self, text: str) -> str:
        return text


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The file whole, to be read in one snapshot; each line goes out as it is made."""
    total, documents = counted_documents(scope)
    documents = with_later_changes(scope, documents)
    file.write(EXCEL_MARK.encode())
    for number, line in enumerate(lines(documents, of_the_file=columns_of(scope))):
        file.write(line)
        progress(number, total)


def with_later_changes(
    scope: ExportScope, documents: Iterable[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The documents with what became otherwise after their window was closed."""
    later = by_control(changes_of(scope))
    rows = listed(scope.system, scope.moment) if later else []
    of_control = {row["ref_id"]: later.get(row["id"], []) for row in rows}
    for document in documents:
        changes = of_control.get(document["control_id"], [])
        yield document | {"after_closing": in_one_cell(changes)}


def columns_of(scope: ExportScope) -> dict[str, str]:
    """The cells that are the same in each row. As `heading_of`."""
    heading = heading_of(scope)
    return {
        "marks": heading.marks,
        "system": heading.slug,
        "system_name": heading.system,
        "window_start": heading.window_start,
        "window_end": heading.window_end,
        "window_closed": "; ".join(heading.closings),
        "controls_of_file": heading.view,
    }


def lines(
    documents: Iterable[Mapping[str, Any]],
    *,
    of_the_file: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """The file line by line in UTF-8, RFC 4180, without its mark.

    `of_the_file` are the cells of OF_THE_FILE, empty where they are not given.

    Columns of one value hold codes; where several values make a text, as in `basis`,
    services and layers stand by their names.
    """
    names, same = display_names(), dict.fromkeys(OF_THE_FILE, "")
    same |= of_the_file or {}
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS).encode()
    for document in documents:
        cells = cells_of(document, names) | same
        yield writer.writerow([inert(cells[name]) for name in COLUMNS]).encode()


def cells_of(document: Mapping[str, Any], names: Names) -> dict[str, str]:
    """Each column's text for one control."""
    flat = {**document, **_period_cells(document["period"])}
    flat["basis"] = "; ".join(_basis_text(row, names) for row in document["basis"])
    flat["regime_numbers"] = "; ".join(document["regime_numbers"])
    flat["override"] = _override_text(document["override"])
    flat["reasons"] = _reasons_text(document["reasons"], names)
    flat["period_reasons"] = _reasons_text(document["period"].get("reasons", ()), names)
    flat["blocked"] = "; ".join(
        f"{days['from']}..{days['to']}"
        for days in document["period"].get("blocked", ())
    )
    flat["providers"] = "; ".join(
        _provider_text(provider, names) for provider in document["providers"]
    )
    proofs = [_evidence_text(proof) for proof in document["evidence"]]
    if document["more_evidence"]:
        proofs.append("older evidence of the window is not listed here")
    flat["evidence"] = "; ".join(proofs)
    flat["artifacts"] = "; ".join(
        _report_text(report) for report in document["artifacts"]
    )
    flat["answered"] = "yes" if document.get("answered") else ""
    flat["responses"] = "; ".join(map(_response_text, document.get("responses", ())))
    return {
        name: "" if flat.get(name) is None else str(flat[name])
        for name in COLUMNS
        if name not in OF_THE_FILE
    }


def _period_cells(period: Mapping[str, Any]) -> dict[str, Any]:
    result = {name: value for name, value in period.items() if name != "reasons"}
    return {"period_result": period.get("result", ""), **result}


def _basis_text(row: Mapping[str, Any], names: Names) -> str:
    component = component_name(names, row["component"], row["variant"])
    party = PARTIES.get(row["party"], row["party"])
    return f"{layer_name(row['layer'])} of {component}: {party} ({row['kind']})"


def _override_text(override: Mapping[str, Any] | None) -> str:
    if override is None:
        return ""
    return f"{override['source']} until {override['until']}: {override['reason']}"


def _reasons_text(reasons: Iterable[Mapping[str, Any]], names: Names) -> str:
    return "; ".join(_reason_text(reason, names) for reason in reasons)


def _reason_text(reason: Mapping[str, Any], names: Names) -> str:
    subject = reason["subject"]
    if reason["code"] in ABOUT_SERVICES:
        subject = names.get(subject, subject)
    return f"{reason['code']}: {subject}".rstrip(": ")


def _provider_text(row: Mapping[str, Any], names: Names) -> str:
    """`Interxion: lapsed until 2026-09-28, days 273/77/0/15 (report_lapsed: ...)`."""
    until = f" until {row['until']}" if row["until"] else ""
    counts = [row[f"{kind}_days"] for kind in DAY_KINDS]
    days = "" if None in counts else f", days {'/'.join(map(str, counts))}"
    why = ", ".join(_reason_text(reason, names) for reason in row["reasons"])
    return f"{row['name']}: {row['state']}{until}{days}" + (f" ({why})" if why else "")


def _evidence_text(row: Mapping[str, Any]) -> str:
    digests = " ".join(row["sha256"])
    reviewer = f", reviewed by {row['reviewer']}" if row["reviewer"] else ""
    return (
        f"{row['uuid']} {row['state']}, performed {row['performed_on']}, about"
        f" {row['period_start']}..{row['period_end']}, sha256 {digests}{reviewer}"
    )


def _report_text(row: Mapping[str, Any]) -> str:
    """`SOC 2 2026 (2026-01-01..2026-06-30), whose recorded coverage ...`."""
    days = f"{row['start']}..{row['end'] or 'open'}"
    hint = f", {NAMES_OTHERS}" if row["unnamed"] else ""
    return f"{row['title']} {row['version']} ({days}){hint}"


def _response_text(row: Mapping[str, Any]) -> str:
    """`late Patch report 2026-03-01..2026-03-31: Cause. Effect. Done (owner ...)`."""
    paragraphs = (row["cause"], row["effect"], row["measures"], row["compensating"])
    sentences = " ".join(f"{text.rstrip('. ')}." for text in paragraphs if text)
    return (
        f"{row['kind']} {row['title']} {row['from']}..{row['to']}: {sentences}"
        f" (owner {row['owner']}, accepted by {row['accepted_by']})"
        + (f" {row['lacking']}" if row["lacking"] else "")
    )
