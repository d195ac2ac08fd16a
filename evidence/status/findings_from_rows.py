"""Findings and failing observations of controls, as the rules read them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.status.facts import FindingFacts
from evidence.status.finding_days import due_day
from evidence.status.findings_sql import FINDINGS
from evidence.status.rows import Moment, Row, as_bigints, grouped, read_rows


@dataclass(frozen=True)
class SeenToFail:
    """Of one control: its findings, and the days of observations that nothing was made
    of, both in order of their days."""

    findings: tuple[FindingFacts, ...] = ()
    contradicted: tuple[dt.date, ...] = ()


def read_findings(
    every: Mapping[str, Any], until: dt.date, moment: Moment
) -> defaultdict[int, SeenToFail]:
    """What was found of the implementations up to a day, by their keys, as known at the
    moment. One statement."""
    rows = read_rows(FINDINGS, moment, until=until, **every)
    read: defaultdict[int, SeenToFail] = defaultdict(SeenToFail)
    for key, of_control in grouped(rows, "implementation_id").items():
        read[key] = _of_control(of_control)
    return read


def findings_of(
    implementations: Collection[int], until: dt.date, moment: Moment
) -> defaultdict[int, SeenToFail]:
    """The same by a list of keys."""
    return read_findings(
        {"implementations": as_bigints(implementations)}, until, moment
    )


def _of_control(rows: Iterable[Row]) -> SeenToFail:
    findings, contradicted = [], []
    for row in rows:
        if row["severity"] is None:
            contradicted.append(row["found_on"])
            continue
        due = due_day(row["severity"], row["found_on"])
        findings.append(
            FindingFacts(
                uuid=row["uuid"],
                title=row["title"],
                severity=row["severity"],
                found_on=row["found_on"],
                due_on=None if row["without_due_day"] else due,
                closed_on=row["closed_on"],
            )
        )
    return SeenToFail(tuple(findings), tuple(contradicted))
