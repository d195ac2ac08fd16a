"""A crosswalk held against a system's controls, and adopted from a day on."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from controls.access import require_officer
from controls.control_ids import label_of
from controls.crosswalks.rows import CrosswalkFile, CrosswalkRowError
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    Control,
    ControlImplementation,
    Crosswalk,
    CrosswalkNumber,
    System,
)
from controls.models.audit import Event, about

SHOWN_ERRORS = 100


@dataclass(frozen=True)
class NumberedControl:
    """One control with the numbers that stand beside it, in order."""

    implementation: ControlImplementation
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class CrosswalkPreview:
    """What adopting would say. `outside`: ids of controls not in the baseline."""

    stated: tuple[NumberedControl, ...]
    outside: tuple[str, ...]
    errors: tuple[CrosswalkRowError, ...]

    def left_by(self, earlier: Crosswalk | None) -> tuple[NumberedControl, ...]:
        """What an earlier version says and this one does not, in catalog order."""
        if earlier is None:
            return ()
        kept = {
            (row.implementation.pk, number)
            for row in self.stated
            for number in row.numbers
        }
        rows = earlier.numbers.select_related("implementation__control").order_by(
            "implementation__control__sort_order", "implementation", "number"
        )
        left: dict[ControlImplementation, list[str]] = defaultdict(list)
        for row in rows:
            if (row.implementation_id, row.number) not in kept:
                left[row.implementation].append(row.number)
        return tuple(NumberedControl(row, tuple(left[row])) for row in left)

    @property
    def criteria(self) -> int:
        """How many different numbers it names."""
        return len({number for row in self.stated for number in row.numbers})


def preview(system: System, read: CrosswalkFile) -> CrosswalkPreview:
    """A file held against the system's controls. Writes nothing.

    A control that the catalog does not know is an error; one that the baseline leaves
    out is put aside. The same pair twice is one.
    """
    ours = {
        implementation.control.ref_id: implementation
        for implementation in system.implementations.in_catalog_order().select_related(
            "control"
        )
    }
    known = set(
        Control.objects.filter(catalog__baselines=system.baseline_id).values_list(
            "ref_id", flat=True
        )
    )
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    errors = list(read.errors)
    for row in read.rows:
        if row.control_id in known:
            numbers[row.control_id].add(row.number)
        else:
            message = f"there is no control {label_of(row.control_id)} in the catalog."
            errors.append(CrosswalkRowError(row.place, message))
    return CrosswalkPreview(
        tuple(
            NumberedControl(implementation, tuple(sorted(numbers[ref])))
            for ref, implementation in ours.items()
            if ref in numbers
        ),
        tuple(ref for ref in numbers if ref not in ours),
        tuple(errors),
    )


@transaction.atomic
def adopt(
    system: System,
    read: CrosswalkFile,
    *,
    title: str,
    starts_on: dt.date,
    by: Actor,
    today: dt.date,
    leave_out: bool = False,
    followed: Sequence[int] | None = None,
) -> Crosswalk:
    """Let the numbers stand beside the controls from `starts_on`.

    The version of the same title that holds then ends on that day; one from the same
    day or a later one never holds. The day is not before `today`, the system's day,
    where there is a version: what was said of a day gone by stays (R31). All of it or
    nothing, unless lines may be left out. `followed` are keys of the versions that were
    shown to end by it (`versions_followed`; None: whichever there are). Raises
    NotPermitted for all but officers, Refused where a line is wrong or the day has gone
    by, TransitionNotAllowed where somebody imported another version meanwhile.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    compared = preview(locked, read)
    if compared.errors and not leave_out:
        raise Refused({"file": [str(e) for e in compared.errors[:SHOWN_ERRORS]]})
    if not compared.stated:
        raise Refused({"file": "The file speaks of no control of this system."})
    crosswalk = Crosswalk(
        system=locked,
        imported_by=by,
        title=title.strip(),
        starts_on=starts_on,
        file_name=read.name[-200:],
        sha256=read.sha256,
    )
    earlier = list(
        versions_followed(locked, title, starts_on).select_for_update(of=("self",))
    )
    if followed is not None:
        _refuse_unseen(earlier, followed)
    events = _end_earlier(earlier, crosswalk, compared, by=by, today=today)
    crosswalk.full_clean(exclude=["system", "imported_by"])
    crosswalk.save(force_insert=True)
    CrosswalkNumber.objects.bulk_create(
        [
            CrosswalkNumber(
                crosswalk=crosswalk, implementation=row.implementation, number=number
            )
            for row in compared.stated
            for number in row.numbers
        ],
        batch_size=1000,
    )
    events.append(
        about(
            crosswalk,
            "crosswalk.imported",
            by=by,
            sha256=crosswalk.sha256,
            starts_on=str(starts_on),
            controls=len(compared.stated),
            criteria=compared.criteria,
            left_out=len(compared.errors),
        )
    )
    AuditEvent.objects.append_all(events)
    return crosswalk


def versions_followed(
    system: System, title: str, starts_on: dt.date
) -> QuerySet[Crosswalk]:
    """Versions of a title that one from this day on would end or replace: they hold
    on it or begin later."""
    versions = Crosswalk.objects.filter(system=system).titled(title)
    return versions.reaching(starts_on).order_by("starts_on", "pk")


def _refuse_unseen(earlier: Iterable[Crosswalk], followed: Sequence[int]) -> None:
    """Two officers at once: the later one sees first what would end."""
    for version in earlier:
        if version.pk not in followed:
            raise TransitionNotAllowed(
                f"{version.imported_by} imported “{version.title}” from"
                f" {version.starts_on} since you sent this file, and this would end"
                " it. Look at it, then send the file again."
            )


def _end_earlier(
    earlier: Iterable[Crosswalk],
    crosswalk: Crosswalk,
    compared: CrosswalkPreview,
    *,
    by: Actor,
    today: dt.date,
) -> list[Event]:
    """End each version that it follows or replaces, saying what stands no more.

    One that would have begun no earlier never holds: it ends on its own first day.
    """
    events = []
    for version in earlier:
        if crosswalk.starts_on < today:
            raise Refused(
                {
                    "starts_on": "A new version holds from today or a later day: on"
                    f" days gone by the one from {version.starts_on} held."
                }
            )
        left = compared.left_by(version)
        version.ended_on = max(version.starts_on, crosswalk.starts_on)
        version.save(update_fields=["ended_on"])
        body = {
            "on": str(version.ended_on),
            "left": {
                row.implementation.control.label: list(row.numbers) for row in left
            },
        }
        events.append(about(version, "crosswalk.ended", by=by, **body))
    return events
