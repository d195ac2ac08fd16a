"""A provider's security plan as a confined process read it: what it offers to systems
that lean on it, and what it leaves to them; the plan of such a system beside it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import IO, Any

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
class PlanFault:
    """One thing that is not right: the file, the place in it, a sentence."""

    document: str
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"Not right in {self.document} at {self.place}: {self.sentence}"


@dataclass(frozen=True)
class ProviderPlan:
    """A plan as read. `leaning` are the controls of the plan that leans on it. `faults`
    name references that lead nowhere and what that plan leaves unanswered;
    `more_faults` counts those that are not named."""

    controls: tuple[PlannedControl, ...]
    leaning: tuple[PlannedControl, ...]
    faults: tuple[PlanFault, ...]
    more_faults: int


@dataclass(frozen=True)
class PlanFile:
    """The bytes of a plan, and what the file is called."""

    name: str
    content: bytes


def read_plan(plan: PlanFile, leaning: PlanFile | None = None) -> ProviderPlan:
    """What a plan in JSON exports, and how a plan that leans on it refers to that.

    Raises Refused, naming what is wrong and where.
    """
    files = [plan] if leaning is None else [plan, leaning]
    if sum(len(file.content) for file in files) > MAX_PLAN_BYTES:
        subject = "The file is" if leaning is None else "The two files together are"
        raise Refused(
            f"{subject} larger than {size_in_words(MAX_PLAN_BYTES)}.",
            code="too_large",
        )
    body = io.BytesIO(b"".join(file.content for file in files))
    sizes = [[file.name, len(file.content)] for file in files]
    try:
        with PLANS.read(body, sizes) as answer:
            return _plan_of(answer)
    except Heavy:
        raise Refused(
            "This file takes too much time or memory to read.", code="too_heavy"
        ) from None


def _plan_of(answer: IO[bytes]) -> ProviderPlan:
    controls: dict[str, list[PlannedControl]] = {"control": [], "leaning": []}
    while (record := _record(answer))[0] in controls:
        controls[record[0]].append(_control(record[1]))
    _, named, more = record
    _record(answer)
    faults = tuple(PlanFault(*fault) for fault in named)
    return ProviderPlan(
        tuple(controls["control"]), tuple(controls["leaning"]), faults, more
    )


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
    if record[0] not in {"control", "leaning", "faults", "end"}:
        raise Heavy("no end")
    return record
