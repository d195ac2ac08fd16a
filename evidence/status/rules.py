"""The number of the rules by which answers are judged; the rule of each reason (R35).

Beside the two clocks every answer names this number: facts say what was recorded,
the number by which rules they were judged. It rises when a rule changes what it answers
for the same facts, never for a new page or a new reason's words. Within one number an
answer as known then is the same to the byte, whenever it is asked for.

The rules themselves, with an example each, are told in
docs/how-a-verdict-is-reached.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from evidence.status.values import value


@value
class RulesEdition:
    """One number of the rules.

    `since` is its first day (UTC; None: from the beginning), `amended` says by rule id
    what it answers otherwise than the number before.
    """

    number: int
    since: dt.date | None
    amended: Mapping[str, str]


EDITIONS: tuple[RulesEdition, ...] = (
    RulesEdition(number=1, since=None, amended={}),
    RulesEdition(
        number=2,
        since=dt.date(2026, 11, 29),
        amended={
            "R3": "each provider is a need of its own, proven by its own artifacts; the"
            " worst one decides",
            "R10": "not applicable holds for its days, and only they excuse periods of"
            " a window",
            "R11": "days on which our half was required and nothing was asked count"
            " as unasked; a window with any is not complete",
            "R13": "how long a performance carries follows the terms in force on the"
            " day asked about",
            "R14": "a calendar period is expected when on its last day our half was"
            " required, the control applicable and an ask in operation; a timely"
            " performance recorded after its due day is on time only if the reviewer"
            " confirmed the day",
            "R16": "every day of a window is covered by a population, open or not yet"
            " due; one population proves the days it covers and no others, and none"
            " while an item of another list is open, or it was not sampled; a deviation"
            " stays in a window's count, and caps the verdict while its period is"
            " current, when its list is withdrawn or rejected",
            "R20": "our own assessment of a provider that issues no report counts as"
            " asserted; a service without a region is never proven; a report of every"
            " region speaks of those of its own partition; what only a report expected"
            " that its auditor withdrew is expected of us no more once a second person"
            " does not rely on it",
            "R21": "while a window runs, days after the newest report are awaited as"
            " long as it is current, and open only then",
            "R22": "a report that is not relied on ends the currency of those before it"
            " also once its auditor withdrew it",
            "R24": "a citation made after the review waits for a second person, in each"
            " system of its own; a reason that only waits hides none that fails",
            "R28": "an implementation status that nobody stated caps at partly, and a"
            " window counts the days that a status blocked",
            "R30": "on days of a Type II engagement design alone proves nothing",
            "R31": "what fell away by a change in retrospect stays as a waived row",
            "R34": "a control that is not proven on a window's last day is not complete"
            " over it",
        },
    ),
)
# The number that this code judges by.
RULES = EDITIONS[-1].number


def rules_then(known_at: dt.datetime | None) -> int | None:
    """The number that was in force just before `known_at`, where it is another one.

    None where today's rules were in force, and for all that is known now.
    """
    if known_at is None:
        return None
    number = next(
        edition.number
        for edition in reversed(EDITIONS)
        if edition.since is None or known_at > first_instant(edition.since)
    )
    return number if number != RULES else None


def first_instant(day: dt.date) -> dt.datetime:
    """The beginning of a day in UTC, the days in which editions are counted."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


# Which rule gives a reason: the section that a reason's "Why?" leads to.
RULE_OF_REASON: Mapping[str, str] = {
    "never_performed": "R13",
    "not_yet_due": "R12",
    "overdue": "R13",
    "expiring": "R13",
    "submitted_unreviewed": "R17",
    "newer_rejected": "R17",
    "nothing_asked": "R11",
    "no_population": "R16",
    "population_unreviewed": "R16",
    "population_rejected": "R16",
    "population_lapsed": "R16",
    "no_events": "R16",
    "no_sample": "R16",
    "sample_open": "R16",
    "sample_waiting": "R16",
    "deviations": "R16",
    "days_without_population": "R16",
    "design_only": "R30",
    "aws_only": "R28",
    "customer_only": "R28",
    "no_artifact": "R20",
    "supporting_only": "R20",
    "reliance_pending": "R24",
    "not_relied_on": "R24",
    "newer_version_unreviewed": "R25",
    "service_out_of_scope": "R23",
    "external_service_unauthorized": "R23",
    "service_not_listed": "R23",
    "region_out_of_scope": "R23",
    "region_unknown": "R20",
    "impact_below_baseline": "R20",
    "other_partition": "R20",
    "report_lapsed": "R22",
    "revoked": "R20",
    "exception_unanswered": "R24",
    "exception_answered": "R24",
    "subservice_undecided": "R20",
    "implementation_partial": "R28",
    "not_stated": "R28",
    "open_finding": "R28",
    "poam_overdue": "R36",
    "contradicted": "R28",
    "cuec_open": "R26",
    "override_expired": "R9",
    "na_requested": "R10",
    "na_basis_changed": "R10",
    "na_review_due": "R10",
    "unclassified": "R6",
    "proposed_not_applicable": "R1",
    "missed": "R14",
    "late": "R14",
    "aws_days_open": "R21",
    "collected_late": "R14",
    "letter_pending": "R24",
    "citation_pending": "R24",
    "report_withdrawn": "R20",
    "site_out_of_scope": "R23",
    "site_unknown": "R23",
    "recorded_late": "R14",
    "cut_short": "R14",
    "waived": "R31",
    "changed_in_retrospect": "R31",
    "asked_from": "R11",
    "blocked_by_status": "R28",
    "blocked_by_design": "R30",
    "blocked_by_finding": "R28",
    "blocked_by_observation": "R28",
    "not_proven_at_end": "R34",
    "letter_beyond_issue": "R21",
}


def anchor_of(code: str) -> str:
    """Where a reason is explained, such as `r13`; empty if nowhere."""
    return RULE_OF_REASON.get(code, "").lower()
