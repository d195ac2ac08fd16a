"""How much waits for one person as the second one, and where on the page it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controls.grammar import count_of

TO_APPROVE = (
    "overrides",
    "exclusions",
    "alternatives",
    "ends",
    "changes",
    "removals",
    "files_to_clear",
    "report_removals",
    "reports_to_clear",
    "closings",
)


@dataclass(frozen=True)
class Signatures:
    """Decisions that one heading of the page holds: how many, in words, and its id."""

    number: int
    words: str
    anchor: str


def signatures(lists: Mapping[str, Any]) -> list[Signatures]:
    """By heading, in the order of the page, what waits for a second person (R32).

    `lists` holds what the page shows by its names; what is not there counts as
    nothing. Reports that the person may not review are left out.
    """
    numbers = (
        (
            sum(len(lists.get(name, ())) for name in TO_APPROVE),
            "request to approve,requests to approve",
            "to-approve",
        ),
        (len(lists.get("letters", ())), "letter", "letters"),
        (len(lists.get("answers", ())), "answer to a report", "answers"),
        (len(lists.get("dispositions", ())), "finding", "findings"),
        (len(lists.get("responses", ())), "response", "responses"),
        (sum(len(rows) for _, rows in lists.get("citations", ())), "citation",
         "citations"),
        (
            sum(not one.registered_by_me for one in lists.get("unread", ())),
            "report to review,reports to review",
            "reports",
        ),
    )  # fmt: skip
    return [
        Signatures(number, count_of(number, noun), anchor)
        for number, noun, anchor in numbers
        if number
    ]
