"""Providers' reports that a system leans on, as OSCAL's leveraged authorizations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evidence.exports.formats.oscal.head import DocumentHead
from evidence.exports.formats.oscal.texts import named_by_digest, one_line, prop
from evidence.exports.formats.oscal.writing import Node
from evidence.status.control_status import ControlStatus
from evidence.status.facts import ArtifactVersionFacts

REPORTS = """
SELECT v.uuid, v.label, v.starts, v.until, v.issued_on, a.title, a.series, a.kind,
       a.scheme, a.provider, a.provider_slug, v.service_slugs,
       ARRAY(SELECT h.sha256 FROM evidence_reportfile h
              WHERE h.artifact_version_id = v.id AND h.known_from < %(known_at)s
              ORDER BY h.id) AS held
  FROM {artifact_version} v JOIN {artifact} a ON a.id = v.artifact_id
 WHERE v.uuid = ANY(%(reports)s::uuid[])
 ORDER BY a.title, v.starts, v.id
"""


def relied_on(
    answers: Iterable[ControlStatus], day: dt.date
) -> list[ArtifactVersionFacts]:
    """The newest report of each series that is cited and relied on, and stands."""
    newest: dict[str, ArtifactVersionFacts] = {}
    for answer in answers:
        for version in answer.facts.aws.versions if answer.facts.aws else ():
            if not _stands(version, day):
                continue
            before = newest.get(version.series)
            if before is None or before.starts < version.starts:
                newest[version.series] = version
    return list(newest.values())


def _stands(version: ArtifactVersionFacts, day: dt.date) -> bool:
    ended = version.revoked_on is not None and version.revoked_on <= day
    relied = version.reliance in {"rely", "rely-with-response"}
    accepted = version.citation == "accepted" and version.state != "withdrawn"
    return relied and accepted and not ended and version.starts <= day


def authorization(head: DocumentHead, row: Mapping[str, Any]) -> Node:
    """A provider's report that is cited and relied on; dated by its issue."""
    last_day = row["until"] - dt.timedelta(days=1) if row["until"] else ""
    return {
        "uuid": of_report(head, row),
        "title": one_line(f"{row['title']}, {row['label']}"),
        "props": [
            prop("assurance-kind", row["kind"]),
            prop("scheme", row["scheme"]),
            prop("series", row["series"]),
            prop("period-start", row["starts"]),
            prop("period-end", last_day),
        ],
        "links": [
            {"href": f"#{_of_held(head, row, sha256)}", "rel": "reference"}
            for sha256 in row["held"]
        ],
        "party-uuid": head.names.of("party", "provider", row["provider_slug"]),
        "date-authorized": (row["issued_on"] or row["starts"]).isoformat(),
    }


def held_reports(
    head: DocumentHead, reports: Iterable[Mapping[str, Any]]
) -> Iterator[Node]:
    """What is held of the reports that the system leans on, by its hash alone (R27)."""
    for row in reports:
        for sha256 in row["held"]:
            yield {
                "uuid": _of_held(head, row, sha256),
                "title": one_line(f"{row['title']}, {row['label']}"),
                "description": "Held as a confidential file: named by its hash alone.",
                "rlinks": [
                    {
                        "href": named_by_digest(sha256),
                        "hashes": [{"algorithm": "SHA-256", "value": sha256}],
                    }
                ],
            }


def _of_held(head: DocumentHead, row: Mapping[str, Any], sha256: str) -> str:
    return head.names.of("held-report", str(row["uuid"]), sha256)


def of_report(head: DocumentHead, row: Mapping[str, Any]) -> str:
    """The UUID of a report in the documents of the system."""
    return head.names.of("report", str(row["uuid"]))
