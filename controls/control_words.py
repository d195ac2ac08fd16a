"""What the official text asks, part by part, with what a baseline sets filled in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controls.models import (
    Baseline,
    BaselineControl,
    Control,
    ControlText,
    ControlTextEdition,
)
from controls.oscal.text_parsing import INSERT

MAX_NESTED = 4  # choices that name parameters whose choices name parameters …
BEFORE_MARKS = re.compile(r" +(?=[;:,.])")  # the publisher's space after a parameter
SELECTION = re.compile(r"^Selection(?: \([^)]*\))?: *")


@dataclass(frozen=True)
class WordsRun:
    """Words that stand together; `kind` is `set` or `open` of a parameter, else empty.

    `set`: the value comes from the baseline. `open`: nobody has set one yet.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True)
class PartWords:
    """One part of the text; `depth` 0 is the statement itself, which has no label."""

    statement_id: str
    label: str
    depth: int
    runs: tuple[WordsRun, ...]

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class ControlWords:
    """The text of one control in one edition."""

    edition: ControlTextEdition
    parts: tuple[PartWords, ...]
    guidance: tuple[str, ...]  # paragraphs

    @property
    def by_statement(self) -> dict[str, str]:
        """The words of each part, by its id."""
        return {part.statement_id: part.text for part in self.parts}


def control_words(
    control: Control, baseline: Baseline, known_at: dt.datetime | None = None
) -> ControlWords | None:
    """The text as it was imported before an instant; None where none was. None: now.

    What a baseline sets is reference data of the product and is filled in as shipped.
    """
    edition = (
        ControlTextEdition.objects.filter(catalog=control.catalog_id)
        .as_known(known_at)
        .first()
    )
    if edition is None:
        return None
    text = ControlText.objects.filter(edition=edition, control=control).first()
    if text is None:
        return None
    selection = BaselineControl.objects.filter(baseline=baseline, control=control)
    values = selection.values_list("parameters", flat=True).first() or {}
    parts = tuple(
        PartWords(
            part["id"],
            part["label"],
            part["depth"],
            _runs(part["prose"], text.params, values),
        )
        for part in text.statements
        if part["prose"] or part["label"]
    )
    paragraphs = (paragraph.strip() for paragraph in text.guidance.split("\n\n"))
    return ControlWords(edition, parts, tuple(filter(None, paragraphs)))


def _runs(
    prose: str, params: Mapping[str, Any], values: Mapping[str, str]
) -> tuple[WordsRun, ...]:
    runs: list[WordsRun] = []
    # words and ids of parameters take turns, words first
    for number, text in enumerate(INSERT.split(prose)):
        if number % 2:
            runs.append(_parameter(text, params, values, 0))
        elif text:
            after = BEFORE_MARKS.sub("", text) if number else text
            runs.append(WordsRun(after))
    return tuple(runs)


def _parameter(
    key: str, params: Mapping[str, Any], values: Mapping[str, str], depth: int
) -> WordsRun:
    """What stands where the text names a parameter."""
    if value := values.get(key):
        return WordsRun(SELECTION.sub("", value), "set")
    param = params.get(key, {})
    stands_for = [
        values[part] for part in param.get("stands_for", []) if part in values
    ]
    if stands_for:
        return WordsRun("; ".join(dict.fromkeys(stands_for)), "set")
    choices = param.get("choices", [])
    if not choices or depth >= MAX_NESTED:
        return WordsRun(f"[{param.get('label') or 'organization-defined'}]", "open")
    how_many = "one or more of" if param.get("several") else "one of"
    written = "; ".join(_choice(text, params, values, depth) for text in choices)
    return WordsRun(f"[{how_many}: {written}]", "open")


def _choice(
    text: str, params: Mapping[str, Any], values: Mapping[str, str], depth: int
) -> str:
    filled = INSERT.sub(
        lambda match: _parameter(match[1], params, values, depth + 1).text, text
    )
    return BEFORE_MARKS.sub("", filled).strip()
