"""The control or part that a line of a report's coverage speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from controls.control_ids import label_of
from controls.control_parts import parts_of
from controls.errors import Refused
from controls.models import Control
from controls.provider_documents.ids import control_and_part
from evidence.models import CoverageLine

STEP = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class CoverageEntry:
    """One line as somebody says it: `control` as written, “AC-2(1)” or “AC-2 (a)”."""

    control: str
    section: str = ""
    page: str = ""
    provider_control: str = ""


@dataclass(frozen=True)
class CoverageTarget:
    """A control, or the part of it with this `statement_id`; `label` as pages say."""

    control: Control
    part: str
    label: str


class CoverageTargets:
    """Controls and parts by what people write for them. One statement for many."""

    def __init__(self, texts: Iterable[str]) -> None:
        ref_ids = {control_and_part(text)[0] for text in texts} - {""}
        known = Control.objects.live().filter(ref_id__in=ref_ids)
        # of two catalogs with one id the older one is meant
        self._controls = {c.ref_id: c for c in known.order_by("-catalog_id")}

    def target(self, text: str) -> CoverageTarget:
        """What is meant. Raises Refused for no id, no control, and no part of it."""
        ref_id, part = control_and_part(text)
        if not ref_id:
            sentence = f"“{text[:60]}” is not the id of a control, such as AC-2(1)."
            raise Refused(sentence)
        control = self._controls.get(ref_id)
        if control is None:
            raise Refused(f"There is no control {label_of(ref_id)}.")
        if not part:
            return CoverageTarget(control, "", control.label)
        steps = STEP.findall(part)
        for known in parts_of(control):
            if STEP.findall(known.label.lower()) == steps:
                return CoverageTarget(
                    control, known.statement_id, part_label(control, known.label)
                )
        raise Refused(f"{control.label} has no part {part}.")


def part_label(control: Control, label: str) -> str:
    """A part as documents name it: “AC-2 (d)(1)”."""
    steps = "".join(f"({step})" for step in STEP.findall(label.lower()))
    return f"{control.label} {steps}"


def label_of_line(line: CoverageLine) -> str:
    """The control, with the part where the line is for one."""
    if not line.part:
        return line.control.label
    labels = {part.statement_id: part.label for part in parts_of(line.control)}
    return part_label(line.control, labels.get(line.part, line.part))
