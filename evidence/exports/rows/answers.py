"""The company's answers to the items of one control's window, as exports say them."""

from __future__ import annotations

from collections.abc import Collection

from evidence.findings.item_answers import ItemAnswer, all_answered

NOT_ANSWERED = "not answered"


def response_sentences(answers: Collection[ItemAnswer]) -> list[str]:
    """The responses that count, each with the item that it answers, in one text, and at
    last how many items are not answered in full."""
    texts = item_lines([row for row in answers if row.accepted])
    lacking = sum(not row.is_answered for row in answers)
    if lacking:
        texts.append(f"Not answered in full: {lacking} of {len(answers)}.")
    return texts


def item_lines(answers: Collection[ItemAnswer]) -> list[str]:
    """Each item with what the company answers to it, or that it does not."""
    return [
        f"{row.kind_name}, {row.item.title}, {row.item.starts} to {row.item.ends}"
        f"{_extent_of(row)}: {answer_in_words(row)}"
        for row in answers
    ]


def _extent_of(row: ItemAnswer) -> str:
    """How much of it, where its kind does not say so: ` (91 days)`."""
    words = row.item.extent.words
    return "" if words == row.item.kind else f" ({words})"


def answer_in_words(row: ItemAnswer) -> str:
    """What the response that counts says, who accepted it, and how far it answers."""
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
    sentences = ". ".join(part.rstrip(". ") for part in parts if part) + "."
    return f"{sentences} {row.lacking_words}".rstrip()


def is_answered(result: str, answers: Collection[ItemAnswer]) -> bool:
    """Whether exceptions over the window are *exceptions, answered* (R15)."""
    return result == "exceptions" and all_answered(answers)
