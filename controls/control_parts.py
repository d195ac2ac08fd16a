"""The parts of a control, and how far each is where it differs from the whole (R5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from controls.errors import Refused
from controls.models import Control, ImplementationStatus
from controls.models.implementations import worst_of

Reading = TypeVar("Reading")  # whatever is kept for a part


@dataclass(frozen=True)
class Part:
    """A lettered or numbered part; `label` is its whole path, such as “d.1”."""

    statement_id: str
    label: str
    lowest: bool  # has no parts of its own
    top: bool  # is part of no other part


@dataclass(frozen=True)
class PartShown:
    """A part whose status is another one than the control's."""

    statement_id: str
    label: str
    status: str
    word: str


def parts_of(control: Control) -> list[Part]:
    """The parts in the order of the text; none for a control of one sentence."""
    return labelled_parts(control.statements)


def labelled_parts(statements: Sequence[Mapping[str, Any]]) -> list[Part]:
    """The same of the statements of a control, as its row holds them."""
    lettered = [statement for statement in statements if statement["label"]]
    labels: dict[str, str] = {}
    parents = set()
    for statement in lettered:
        above = statement["id"].rpartition(".")[0]
        parents.add(above)
        labels[statement["id"]] = _joined(labels.get(above, ""), statement["label"])
    return [
        Part(key, label, key not in parents, key.rpartition(".")[0] not in labels)
        for key, label in labels.items()
    ]


def _joined(above: str, label: str) -> str:
    own = label.strip(". ")
    between = "." if above and not own.startswith("(") else ""
    return f"{above}{between}{own}"


def differing(control: Control, statuses: Mapping[str, str]) -> list[PartShown]:
    """The parts with a status of their own, in the order of the text."""
    return [
        PartShown(
            part.statement_id,
            part.label,
            statuses[part.statement_id],
            str(ImplementationStatus(statuses[part.statement_id]).label),
        )
        for part in parts_of(control)
        if part.statement_id in statuses
    ]


def settled(
    control: Control, status: str, statuses: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The control's status, and those of its parts that differ from it.

    What is not said for a part comes from the control. Where every lowest part says
    its own, nothing is left for the control to say: its status is its worst part's.
    Raises Refused for a part or a status that does not exist.
    """
    parts = parts_of(control)
    _refuse_unknown(parts, statuses)
    lowest = [part.statement_id for part in parts if part.lowest]
    if lowest and all(statuses.get(key, status) != status for key in lowest):
        status = worst_of(statuses.values())
    own = {part.statement_id: statuses.get(part.statement_id) for part in parts}
    return status, {
        key: own_status
        for key, own_status in own.items()
        if own_status and own_status != status
    }


def _refuse_unknown(parts: list[Part], statuses: Mapping[str, str]) -> None:
    known = {part.statement_id for part in parts}
    if strange := sorted(set(statuses) - known):
        raise Refused(
            {
                "part_statuses": "This control has no such part: "
                f"{', '.join(strange)[:200]}."
            }
        )
    for key, status in statuses.items():
        if status not in ImplementationStatus.values:
            raise Refused({"part_statuses": f"{key}: “{status}” is no such status."})


def nearest(statement_id: str, by_part: Mapping[str, Reading]) -> Reading | None:
    """What `by_part` holds for a part, else for the nearest part above it, else for the
    whole control (""); None where it holds nothing of them (R5)."""
    key = statement_id
    while key and not by_part.get(key):
        key = key.rpartition(".")[0]
    return by_part.get(key)
