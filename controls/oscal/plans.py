"""A provider's security plan as a confined process read it: what it offers to systems
that lean on it, and what it leaves to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from controls.confined import Heavy, Reader
from controls.errors import Refused
from controls.grammar import size_in_words

MAX_PLAN_BYTES = 20_000_000
PLANS = Reader(
    module="controls.oscal.plan_parsing",
    name="answer_plan",
    memory=700_000_000,
    processor=30,
    seconds=60,
    answer=60_000_000,
    libraries=("orjson",),
)


@dataclass(frozen=True)
class Exported:
    """One thing that a component of the provider offers (`provided`) or leaves to us.

    `statement` is the id of the control's part, empty for the control as a whole.
    """

    provided: bool
    statement: str
    component: str
    uuid: str
    text: str


@dataclass(frozen=True)
class PlannedControl:
    """What the plan says of one control: the ids of its parts, and what is exported."""

    control_id: str
    statements: tuple[str, ...]
    exported: tuple[Exported, ...]


@dataclass(frozen=True)
class ProviderPlan:
    """A plan as read. `faults` name references that lead nowhere, `more_faults` counts
    those that are not named."""

    controls: tuple[PlannedControl, ...]
    faults: tuple[str, ...]
    more_faults: int


def read_plan(body: BinaryIO, name: str) -> ProviderPlan:
    """What a plan in JSON exports. Raises Refused, naming what is wrong and where."""
    if body.seek(0, 2) > MAX_PLAN_BYTES:
        raise Refused(
            f"The file is larger than {size_in_words(MAX_PLAN_BYTES)}.",
            code="too_large",
        )
    try:
        with PLANS.read(body, name, MAX_PLAN_BYTES) as answer:
            return _plan_of(answer)
    except Heavy:
        raise Refused(
            "This file takes too much time or memory to read.", code="too_heavy"
        ) from None


def _plan_of(answer: IO[bytes]) -> ProviderPlan:
    controls = []
    while (record := _record(answer))[0] == "control":
        controls.append(_control(record[1]))
    _, named, more = record
    _record(answer)
    return ProviderPlan(tuple(controls), tuple(named), more)


def _control(facts: dict[str, Any]) -> PlannedControl:
    exported = (
        Exported(
            provided=entry["kind"] == "provided",
            statement=entry["statement"],
            component=entry["component"],
            uuid=entry["uuid"],
            text=entry["text"],
        )
        for entry in facts["exported"]
    )
    return PlannedControl(facts["control"], tuple(facts["statements"]), tuple(exported))


def _record(answer: IO[bytes]) -> list[Any]:
    """The next record. Raises Refused where the reader refused the file."""
    line = answer.readline()
    record: list[Any] = json.loads(line) if line else ["nothing"]
    if record[0] == "refused":
        raise Refused(record[1], code="no_plan")
    if record[0] not in {"control", "faults", "end"}:
        raise Heavy("no end")
    return record
