"""The company's answers to the items of one control's window, as exports say them."""

from __future__ import annotations

from collections.abc import Collection

from evidence.findings.responses import ItemAnswer, all_answered
from evidence.models import ItemKind

NOT_ANSWERED = "not answered"


def response_sentences(answers: Collection[ItemAnswer]) -> list[str]:
    """The responses that count, each with the item that it answers, in one text."""
    return [
        f"{ItemKind(row.item.kind).label}, {row.item.title}, {row.item.starts} to"
        f" {row.item.ends}: {_in_words(row)}"
        for row in answers
        if row.accepted
    ]


def _in_words(row: ItemAnswer) -> str:
    response = row.accepted
    if response is None:
        return NOT_ANSWERED
    parts = [
        f"Cause: {response.cause}",
        f"Effect: {response.effect}",
        f"Done: {response.measures}",
        f"Instead: {response.compensating}" if response.compensating else "",
        f"Owner: {response.owner}",
        f"Accepted by {response.decision.reviewer_name}",
    ]
    return ". ".join(part.rstrip(". ") for part in parts if part) + "."


def is_answered(result: str, answers: Collection[ItemAnswer]) -> bool:
    """Whether exceptions over the window are *exceptions, answered* (R15)."""
    return result == "exceptions" and all_answered(answers)
