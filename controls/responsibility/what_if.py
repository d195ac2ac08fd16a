"""What other components would change: classes before and after, and our duties.

Pure: says what would be, writes nothing. Source: S9, shifting the management of
controls to AWS gives a new distribution of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from controls.responsibility.derive import (
    BasisRow,
    ComponentInUse,
    Derivation,
    derive,
)

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class ClassChange(Generic[Key]):
    """One control whose class or duties would be others. Duties are ours.

    Each duty of before is kept as it is, carried over to another component (the pair
    of it and what it becomes), moved to a provider, or dropped; each of after that is
    neither kept nor carried over is new.
    """

    control: Key
    before: Derivation
    after: Derivation
    dropped: tuple[BasisRow, ...]
    moved: tuple[BasisRow, ...]
    carried: tuple[tuple[BasisRow, BasisRow], ...]
    kept: tuple[BasisRow, ...]
    new: tuple[BasisRow, ...]

    @property
    def turns(self) -> bool:
        """Whether the class itself would be another one."""
        return self.before.responsibility != self.after.responsibility


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of ours with the number of controls that ask for it."""

    row: BasisRow
    controls: int


@dataclass(frozen=True, slots=True)
class CarriedDuty:
    """A duty that stays ours on another component, with its number of controls."""

    row: BasisRow
    onto: BasisRow
    controls: int


@dataclass(frozen=True, slots=True)
class Difference(Generic[Key]):
    """All that would change, in the order of the controls given."""

    changes: tuple[ClassChange[Key], ...]
    classes_before: Mapping[str, int]
    classes_after: Mapping[str, int]
    dropped: tuple[Duty, ...]
    moved: tuple[Duty, ...]
    carried: tuple[CarriedDuty, ...]
    new: tuple[Duty, ...]
    kept: int  # duties in all controls that stay as they are
    after: Mapping[Key, Derivation]  # of every control, changed or not


def compare(
    layers: Mapping[Key, Iterable[str] | None],
    before: Sequence[ComponentInUse],
    after: Sequence[ComponentInUse],
) -> Difference[Key]:
    """What changes when `after` runs instead of `before`, for controls by their layers.

    A duty is a row of the basis that is the customer's: layer, component, variant.
    """

    @cache  # controls share their layers by the dozen
    def both(governed: frozenset[str] | None) -> tuple[Derivation, Derivation]:
        return derive(governed, before), derive(governed, after)

    derivations = {
        control: both(None if governed is None else frozenset(governed))
        for control, governed in layers.items()
    }
    changes = [_change(control, *pair) for control, pair in derivations.items()]
    return Difference(
        changes=tuple(change for change in changes if _says_something(change)),
        classes_before=Counter(was.responsibility for was, _ in derivations.values()),
        classes_after=Counter(is_.responsibility for _, is_ in derivations.values()),
        dropped=_counted(change.dropped for change in changes),
        moved=_counted(change.moved for change in changes),
        carried=_pairs_counted(change.carried for change in changes),
        new=_counted(change.new for change in changes),
        kept=sum(len(change.kept) for change in changes),
        after={control: is_ for control, (_, is_) in derivations.items()},
    )


def _says_something(change: ClassChange[Any]) -> bool:
    others = (change.dropped, change.moved, change.carried, change.new)
    return change.turns or any(others)


def _change(control: Key, before: Derivation, after: Derivation) -> ClassChange[Key]:
    was, now = _ours(before), _ours(after)
    left, begun = list(_only(was, now)), list(_only(now, was))
    carried = _carried_over(left, begun)
    taken = _taken_over(before, after)
    return ClassChange(
        control,
        before,
        after,
        dropped=tuple(row for row in left if row.layer not in taken),
        moved=tuple(row for row in left if row.layer in taken),
        carried=carried,
        kept=tuple(row for row in was if row in frozenset(now)),
        new=tuple(begun),
    )


def _carried_over(
    left: list[BasisRow], begun: list[BasisRow]
) -> tuple[tuple[BasisRow, BasisRow], ...]:
    """Pairs of one layer, of what is left and what begins; both lists lose them."""
    pairs = []
    for row in list(left):
        onto = next((other for other in begun if other.layer == row.layer), None)
        if onto is not None:
            left.remove(row)
            begun.remove(onto)
            pairs.append((row, onto))
    return tuple(pairs)


def _taken_over(before: Derivation, after: Derivation) -> frozenset[str]:
    """Layers that a provider runs on a component that begins."""
    known = frozenset((row.component, row.variant) for row in before.basis)
    return frozenset(
        row.layer
        for row in after.basis
        if row.party != "customer" and (row.component, row.variant) not in known
    )


def _ours(derivation: Derivation) -> tuple[BasisRow, ...]:
    return tuple(row for row in derivation.basis if row.party == "customer")


def _only(
    here: Iterable[BasisRow], there: Collection[BasisRow]
) -> tuple[BasisRow, ...]:
    known = frozenset(there)
    return tuple(row for row in here if row not in known)


def _pairs_counted(
    pairs: Iterable[tuple[tuple[BasisRow, BasisRow], ...]],
) -> tuple[CarriedDuty, ...]:
    """Pairs with what asks for them most first, then by name."""
    counts = Counter(pair for some in pairs for pair in some)
    order = sorted(counts, key=lambda pair: (-counts[pair], pair))
    return tuple(CarriedDuty(*pair, counts[pair]) for pair in order)


def _counted(rows: Iterable[tuple[BasisRow, ...]]) -> tuple[Duty, ...]:
    """Duties with what asks for them most first, then by name."""
    counts = Counter(row for some in rows for row in some)
    order = sorted(counts, key=lambda row: (-counts[row], row))
    return tuple(Duty(row, counts[row]) for row in order)
