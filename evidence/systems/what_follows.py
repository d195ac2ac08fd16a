"""What follows from other services, as a person is shown it before and after."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from controls.models import (
    ApplicabilityDecision,
    ControlImplementation,
    ResponsibilityDecision,
    ResponsibilityOverride,
    System,
)
from controls.models.requests import ApprovalState, ExclusionState
from controls.responsibility.rulings import PARTIES
from evidence.reviews.reconfirm import marks
from evidence.status.gather import Moment

Ruled = tuple[str, str, str]  # class, its source, digest of its basis
NOTHING: Ruled = ("", "", "")
Controls = Mapping[int, ControlImplementation]


@dataclass(frozen=True)
class ClassTurn:
    """A control that has another class from the day on."""

    control: str
    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Consequences:
    """What a change does, as a person is shown it; all of it is plain data.

    `ended` and `started` name components, the ended ones with their version;
    `decided` counts controls decided anew on some days, of which `turns` have another
    class on the first day. `asks` are new ones, each `control: title`. What was decided
    and becomes void, with the day from which: `voided`. What then needs a person:
    accepted proof `to_confirm` anew, requests that `wait`, overrides that still `rule`
    over other duties, controls newly ours that are `unowned`.
    """

    first_day: str
    in_retrospect: bool
    ended: list[tuple[str, str, int]]
    started: list[str]
    decided: int
    turns: list[ClassTurn]
    asks: list[str]
    voided: list[tuple[str, str]]
    to_confirm: list[str]
    wait: list[str]
    rule: list[str]
    unowned: list[str]
    rests_on: str  # a digest of all that was decided for the day before it changed

    @property
    def digest(self) -> str:
        """Names exactly these consequences."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to do something about it afterwards."""
        return bool(
            self.voided or self.to_confirm or self.wait or self.rule or self.unowned
        )

    @property
    def confirmed_at(self) -> list[str]:
        """The controls of what is to confirm, each once: `CM-3 (8)` where several."""
        pieces = Counter(self.to_confirm)
        return [f"{at} ({n})" if n > 1 else at for at, n in pieces.items()]


@dataclass(frozen=True)
class Standing:
    """What is decided for a day, by control, and which exclusions become void: control
    and day, by their key."""

    decisions: Mapping[int, Ruled]
    voids: Mapping[int, tuple[int, dt.date]]

    @classmethod
    def of(cls, system: System, day: dt.date) -> Standing:
        """As recorded now. Two statements."""
        rows = ResponsibilityDecision.objects.filter(
            implementation__system=system, effective__contains=day
        )
        newest = rows.order_by("implementation_id", "-known_from", "-pk").distinct(
            "implementation_id"
        )
        decided = newest.values_list(
            "implementation_id", "responsibility", "source", "basis_id"
        )
        void = ApplicabilityDecision.objects.filter(
            implementation__system=system, voided_from__isnull=False
        ).values_list("pk", "implementation_id", "voided_from")
        return cls(
            {pk: (name, source, basis) for pk, name, source, basis in decided},
            {pk: (control, from_day) for pk, control, from_day in void if from_day},
        )

    @property
    def digest(self) -> str:
        """Names exactly these decisions."""
        text = json.dumps(sorted(self.decisions.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def ruled(self) -> dict[int, str]:
        """The class of each control."""
        return {pk: decision[0] for pk, decision in self.decisions.items()}


def what_turned(
    system: System, before: Standing, after: Standing, day: dt.date, today: dt.date
) -> dict[str, Any]:
    """The fields of `Consequences` that two standings of a day tell. Four statements
    and what `marks` takes."""
    rows = system.implementations.select_related("control", "owner_team")
    controls = {row.pk: row for row in rows.order_by("control__sort_order", "pk")}
    was, now = before.decisions, after.decisions
    anew = {pk for pk in now if was.get(pk, NOTHING) != now[pk]}
    turns = [pk for pk in controls if _class(was, pk) != _class(now, pk)]
    newly_ours = [
        pk
        for pk in turns
        if _is_ours(_class(now, pk)) and not _is_ours(_class(was, pk))
    ]
    return {
        "turns": [
            ClassTurn(
                controls[pk].control.label,
                controls[pk].control.title,
                _class(was, pk),
                _class(now, pk),
            )
            for pk in turns
        ],
        "voided": _labelled(controls, _newly_void(before.voids, after.voids)),
        "rests_on": before.digest,
        "to_confirm": _to_confirm(controls, anew, max(day, today), day),
        "wait": _waiting(controls, anew),
        "rule": [
            controls[pk].control.label
            for pk in controls
            if pk in anew and now[pk][1].startswith("override")
        ],
        "unowned": [
            controls[pk].control.label
            for pk in newly_ours
            if controls[pk].owner_team_id is None
        ],
    }


def _class(decisions: Mapping[int, Ruled], pk: int) -> str:
    return decisions.get(pk, NOTHING)[0]


def _is_ours(responsibility: str) -> bool:
    return "customer" in PARTIES.get(responsibility, frozenset())


def _newly_void(
    before: Mapping[int, tuple[int, dt.date]], after: Mapping[int, tuple[int, dt.date]]
) -> dict[int, dt.date]:
    return {row[0]: row[1] for pk, row in after.items() if before.get(pk) != row}


def _labelled(controls: Controls, days: Mapping[int, dt.date]) -> list[tuple[str, str]]:
    return [
        (controls[pk].control.label, str(days[pk])) for pk in controls if pk in days
    ]


def _to_confirm(
    controls: Controls,
    anew: set[int],
    on: dt.date,
    since: dt.date,
) -> list[str]:
    """Controls with accepted proof that a reviewer confirms for the new duties (R17),
    each as often as it has such proof."""
    marked: dict[int, int] = {}
    for mark in marks(sorted(anew), Moment(on)):
        if mark.since and mark.since >= since:
            marked[mark.implementation] = marked.get(mark.implementation, 0) + 1
    return [
        controls[pk].control.label for pk in controls for _ in range(marked.get(pk, 0))
    ]


def _waiting(controls: Controls, anew: set[int]) -> list[str]:
    """Controls for which somebody asks for an override, or to leave them out: whoever
    decides it finds other duties than whoever asked."""
    overrides = ResponsibilityOverride.objects.filter(
        implementation__in=anew, state=ApprovalState.REQUESTED
    )
    exclusions = ApplicabilityDecision.objects.filter(
        implementation__in=anew, state=ExclusionState.REQUESTED
    )
    waiting = {
        *overrides.values_list("implementation", flat=True),
        *exclusions.values_list("implementation", flat=True),
    }
    return [controls[pk].control.label for pk in controls if pk in waiting]
