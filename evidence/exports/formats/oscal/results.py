"""Assessment results: what evidence was observed, until when it counts, and its hashes.

Evidence makes observations. *Satisfied* is an auditor's word: findings come from the
marks of auditors alone, for whoever may read those (R29).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from controls.models import Engagement
from evidence.exports.formats.oscal.head import DocumentHead, head_of
from evidence.exports.formats.oscal.items import item_observations
from evidence.exports.formats.oscal.results_sql import FAILED, MARKS, OBSERVED
from evidence.exports.formats.oscal.system import this_system
from evidence.exports.formats.oscal.texts import (
    lines,
    named_by_digest,
    one_line,
    prop,
)
from evidence.exports.formats.oscal.writing import (
    Node,
    end_of,
    instant,
    start_of,
    write_document,
)
from evidence.exports.rows.readers import OTHER_TEAMS_FILE, hidden_evidence
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import REMOVED
from evidence.models.proof import NO_END
from evidence.status.control_status import listed
from evidence.status.rows import Row, as_bigints, as_json, read_rows

BATCH = 50  # controls whose evidence is in memory at once
PLAN = "assessment-plan"
STATES = {"satisfied": "satisfied", "other_than_satisfied": "not-satisfied"}


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole document, a line for each observation."""
    head = head_of(scope)
    controls = chosen_controls(scope)
    results = _Results(head, controls)
    last_day = min(scope.window[1], scope.moment.on)
    document: Node = {
        "uuid": head.document("assessment-results"),
        "metadata": head.metadata("Evidence", []),
        "import-ap": {"href": f"#{head.names.of(PLAN)}"},
        "results": [
            {
                "uuid": head.names.of("result", *map(str, scope.window)),
                "title": f"Evidence from {scope.window[0]} to {scope.window[1]}",
                "description": "What was brought, and how far it was reviewed. Whether"
                " a control is satisfied is for an auditor to say.",
                "start": start_of(scope.system, scope.window[0]),
                "end": end_of(scope.system, max(last_day, scope.window[0])),
                "local-definitions": {"components": [this_system(head)]},
                "reviewed-controls": {
                    "control-selections": [
                        {
                            "include-controls": [
                                {"control-id": ref_id} for ref_id in controls.values()
                            ]
                        }
                    ]
                },
                "observations": results.observations(progress),
                "findings": results.findings(),
            }
        ],
        "back-matter": {"resources": results.resources()},
    }
    write_document(file, "assessment-results", document)


def chosen_controls(scope: ExportScope) -> dict[int, str]:
    """Ids of the controls that a scope means, by key, in catalog order."""
    keys = scope.keys()
    chosen = None if keys is None else set(keys)
    return {
        row["id"]: row["ref_id"]
        for row in listed(scope.system, scope.moment)
        if chosen is None or row["id"] in chosen
    }


class _Results:
    """Observations, and the files that were met in them."""

    def __init__(self, head: DocumentHead, controls: Mapping[int, str]) -> None:
        self.head, self.controls = head, controls
        self.files: dict[str, tuple[str, str]] = {}  # name and media type by sha256
        self.accepted: dict[int, list[str]] = {}  # UUIDs of observations by control

    def observations(self, progress: Progress) -> Iterator[Node]:
        """One for each link of a piece of evidence to a control, which is reviewed by
        itself and counts to an end of its own; then what was seen to fail, and what of
        the window an auditor will ask about."""
        scope, keys = self.head.scope, list(self.controls)
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            rows = read_rows(
                OBSERVED,
                scope.moment,
                implementations=as_bigints(some),
                since=scope.window[0],
            )
            hidden = hidden_evidence(scope, (row["uuid"] for row in rows))
            for row in rows:
                files = as_json(row["files"]) or []
                if str(row["uuid"]) in hidden:
                    files = [(OTHER_TEAMS_FILE, *file[1:]) for file in files]
                yield self._observation(row, files)
            removed = read_rows(
                REMOVED, scope.moment, system=scope.system.pk, implementations=some
            )
            for row in removed:
                files = [("", sha256, "") for sha256 in sorted(row["sha256"])]
                yield self._observation({**row, "ends": None, "half": ""}, files)
            progress(min(start + BATCH, len(keys)), len(keys))
        for row in read_rows(
            FAILED,
            scope.moment,
            implementations=as_bigints(keys),
            since=scope.window[0],
        ):
            yield self._failure(row)
        yield from item_observations(self.head, self.controls)

    def _failure(self, row: Row) -> Node:
        """What somebody saw fail."""
        of = self.head.names.of
        return {
            "uuid": of("failure", row["uuid"]),
            "title": one_line(f"Seen to fail: {row['source']}"),
            "description": lines(row["text"]),
            "props": [
                prop("control-id", self.controls[row["implementation_id"]]),
                prop("statement-id", row["part"]),
                prop("state", "explained" if row["is_explained"] else "failing"),
            ],
            "methods": ["UNKNOWN"],
            "subjects": [
                {"subject-uuid": of("component", "this-system"), "type": "component"}
            ],
            "collected": start_of(self.head.scope.system, row["observed_on"]),
        }

    def _observation(self, row: Row, files: Sequence[Sequence[str]]) -> Node:
        system, of = self.head.scope.system, self.head.names.of
        last_day = row["period_until"] - dt.timedelta(days=1)
        is_accepted = row["state"] == "accepted"
        counts = is_accepted and row["ends"] not in {None, NO_END}
        uuid = of(*self._key(row))
        if is_accepted:
            self.accepted.setdefault(row["implementation_id"], []).append(uuid)
        return {
            "uuid": uuid,
            "title": one_line(row["title"]),
            "description": self._description(row, last_day),
            "props": [
                prop("control-id", self.controls[row["implementation_id"]]),
                prop("state", row["state"]),
                prop("half", row["half"]),
                prop("performed-on", row["performed_on"]),
                prop("period-start", row["period_from"]),
                prop("period-end", last_day),
                prop("evidence", row["uuid"]),
                prop("reviewer", row["reviewer"] or ""),
            ],
            "methods": ["EXAMINE"],
            "types": ["control-objective"],
            "subjects": [
                {"subject-uuid": of("component", "this-system"), "type": "component"}
            ],
            "relevant-evidence": [self._evidence(*file) for file in files],
            "collected": start_of(system, row["collected_on"]),
            "expires": end_of(system, row["ends"]) if counts else "",
        }

    @staticmethod
    def _key(row: Row) -> tuple[str, ...]:
        """One name for a link, whatever becomes of it; another for what was removed."""
        link = str(row["link"])
        return ("removed" if row["state"] == "removed" else "observation", link)

    def _description(self, row: Row, last_day: dt.date) -> str:
        control = self.controls[row["implementation_id"]].upper()
        return (
            f"Evidence for {control}, performed on {row['performed_on']}, about"
            f" {row['period_from']} to {last_day}; {row['state']}."
        )

    def _evidence(self, name: str, sha256: str, media_type: str) -> Node:
        self.files.setdefault(sha256, (name, media_type))
        shown = one_line(name) or "A file that was removed"
        return {
            "href": f"#{self.head.names.of('file', sha256)}",
            "description": f"{shown}, sha256 {sha256}",
        }

    def findings(self) -> Iterator[Node]:
        """One for each control that an auditor found satisfied or not, where the reader
        may read the marks; read after the observations."""
        scope = self.head.scope
        engagements = Engagement.objects.filter(system=scope.system)
        if scope.reader is not None:
            engagements = engagements.open_to(scope.reader)
        since, until = scope.window
        for row in read_rows(
            MARKS,
            scope.moment,
            implementations=as_bigints(self.controls),
            engagements=as_bigints(engagements.values_list("pk", flat=True)),
            since=since,
            until=until,
        ):
            yield self._finding(row)

    def _finding(self, row: Row) -> Node:
        """What an auditor marked; the control as a whole is its first statement."""
        control = self.controls[row["implementation_id"]]
        whole = next((part["id"] for part in as_json(row["statements"])), control)
        state = STATES[row["state"]]
        by = one_line(row["firm"])
        title = f"{control.upper()}: {row['state'].replace('_', ' ')}"
        seen = self.accepted.get(row["implementation_id"], [])
        return {
            "uuid": self.head.names.of("mark", row["uuid"]),
            "title": title,
            "description": lines(row["note"]) or f"Marked by the auditors of {by}.",
            "props": [
                prop("control-id", control),
                prop("auditor", by),
                prop("auditor-reference", row["reference"]),
                *(prop("method", method) for method in row["methods"]),
                prop("marked-at", instant(row["marked_at"])),
                prop("engagement", row["engagement"]),
            ],
            "target": {
                "type": "statement-id",
                "target-id": whole,
                "status": {"state": state},
            },
            "related-observations": [{"observation-uuid": uuid} for uuid in seen],
        }

    def resources(self) -> Iterator[Node]:
        """The plan, then each file that was met, once; read after the observations."""
        yield {
            "uuid": self.head.names.of(PLAN),
            "title": "No assessment plan in OSCAL",
            "description": "What is asked for, how often and by when stands in the"
            " record of the system; it was not written as an assessment plan.",
        }
        for sha256, (name, media_type) in self.files.items():
            title = one_line(name)
            removed = {"description": "Removed; only its hash is kept."}
            yield {
                "uuid": self.head.names.of("file", sha256),
                "title": title,
                **({} if title else removed),
                "rlinks": [
                    {
                        "href": named_by_digest(sha256),
                        "media-type": media_type,
                        "hashes": [{"algorithm": "SHA-256", "value": sha256}],
                    }
                ],
            }
