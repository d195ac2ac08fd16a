"""What the responsibility matrix holds: controls, parts of them, rows by component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controls.display_names import layer_name
from evidence.status.rows import Row

Names = Mapping[str, str]  # display names by slug: controls.service_names
WHOLE = "the control as a whole"  # a duty that no layer names


@dataclass(frozen=True, slots=True)
class MatrixDuty:
    """What we have to do about one layer of a component; "" is all of the control."""

    layer: str
    kind: str


def _named(layers: Iterable[str]) -> str:
    return ", ".join(layer_name(layer) if layer else WHOLE for layer in layers)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One component beside one control, on one day.

    `theirs` are the layers that providers run, `ours` our duties; `responsibility` is
    what the two come to for this component alone. `reports` prove the provider's part,
    whose state is `proof`: "" where nothing is asked of a provider.
    """

    component: str
    variant: str
    responsibility: str
    theirs: tuple[str, ...]
    ours: tuple[MatrixDuty, ...]
    sources: tuple[str, ...]
    provider: str = ""
    reports: tuple[str, ...] = ()
    proof: str = ""

    def names_of(self, kind: str) -> str:
        """Our duties of a kind, `configured` or `provided`, by the names of layers."""
        return _named(duty.layer for duty in self.ours if duty.kind == kind)

    @property
    def configured(self) -> str:
        """What we set on features of the provider."""
        return self.names_of("configured")

    @property
    def provided(self) -> str:
        """What we bring ourselves."""
        return self.names_of("provided")

    @property
    def theirs_named(self) -> str:
        """What providers run, by the names of the layers."""
        return _named(self.theirs)


@dataclass(frozen=True, slots=True)
class MatrixPart:
    """Parts of a control, such as `AC-2 (a), (b)`, whose rows differ from the whole."""

    label: str
    rows: tuple[MatrixRow, ...]

    @property
    def responsibility(self) -> str:
        """What its rows come to; `none` without any."""
        classes = {row.responsibility for row in self.rows}
        if not classes:
            return "none"
        return classes.pop() if len(classes) == 1 else "shared"


@dataclass(frozen=True, slots=True)
class MatrixControl:
    """One control with its rows. `control` is a row of `listed`; `expected` are the
    controls that a provider's report expects of us here (R26); `parts` only those that
    differ from the whole (R5)."""

    control: Row
    rows: tuple[MatrixRow, ...]
    expected: tuple[str, ...] = ()
    parts: tuple[MatrixPart, ...] = ()

    @property
    def responsibility(self) -> str:
        """The class in force, of all components together."""
        return str(self.control["responsibility"] or "unclassified")


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Components of one control of which all else is equal."""

    names: tuple[str, ...]
    row: MatrixRow
