"""What we expect of AWS and other providers: their duty for each control, what proves
it and whether it stands (R26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from controls.display_names import layer_name
from controls.models import System
from controls.service_names import component_name
from evidence.status.control_status import listed
from evidence.status.facts import HalfState
from evidence.status.gather import Moment
from evidence.status.half import GOOD, worst
from evidence.systems.matrix import of_rows, with_reports
from evidence.systems.matrix_rows import MatrixControl, MatrixRow, Names

NOBODY = "No provider named"


@dataclass(frozen=True)
class ProviderDuty:
    """What one provider runs for one control, over all services of ours that need it.

    `reports` prove it, none where nothing that is relied on does; `proof` is the state
    of its worst service, "" where nothing is asked of it.
    """

    control_id: str
    label: str
    title: str
    responsibility: str
    provider: str
    services: tuple[str, ...]
    layers: tuple[str, ...]
    reports: tuple[str, ...]
    proof: str

    @property
    def stands(self) -> str:
        """`open` while something is asked that nothing proves; `proven`, `unasked`."""
        if not self.proof:
            return "unasked"
        return "proven" if self.proof in GOOD else "open"


def expected_of_providers(
    system: System, moment: Moment, names: Names
) -> list[ProviderDuty]:
    """Every inherited and shared control with each provider's duty, by provider and in
    catalog order. A constant number of statements. Raises LookupError when the system
    was not recorded by the moment."""
    rows = [
        row
        for row in listed(system, moment)
        if row["responsibility"] in ("inherited", "shared")
    ]
    controls = of_rows(rows, moment, {"duty": "theirs"})
    duties = [
        duty
        for control in with_reports(system, moment, controls)
        for duty in _duties(control, names)
    ]
    return sorted(duties, key=lambda duty: (duty.provider != "AWS", duty.provider))


def narrowed(
    duties: Sequence[ProviderDuty], filters: Mapping[str, str]
) -> list[ProviderDuty]:
    """Those that fit `q` (words of a control), `provider`, `stands` and
    `responsibility`; those that are open come first."""
    words = filters.get("q", "").casefold().split()
    return sorted(
        (
            duty
            for duty in duties
            if all(word in f"{duty.label} {duty.title}".casefold() for word in words)
            and filters.get("provider", duty.provider) == duty.provider
            and filters.get("stands", duty.stands) == duty.stands
            and filters.get("responsibility", duty.responsibility)
            == duty.responsibility
        ),
        key=lambda duty: duty.stands != "open",
    )


def _duties(control: MatrixControl, names: Names) -> list[ProviderDuty]:
    by_provider: dict[str, list[MatrixRow]] = {}
    for row in control.rows:
        by_provider.setdefault(row.provider or NOBODY, []).append(row)
    return [
        ProviderDuty(
            control.control["ref_id"],
            control.control["label"],
            control.control["title"],
            control.responsibility,
            provider,
            tuple(
                dict.fromkeys(
                    component_name(names, row.component, row.variant) for row in rows
                )
            ),
            tuple(
                dict.fromkeys(layer_name(layer) for row in rows for layer in row.theirs)
            ),
            tuple(dict.fromkeys(report for row in rows for report in row.reports)),
            _worst_proof(rows),
        )
        for provider, rows in by_provider.items()
    ]


def _worst_proof(rows: Sequence[MatrixRow]) -> str:
    """The state of the worst row that something is asked of; "" for none."""
    states = [cast(HalfState, row.proof) for row in rows if row.proof]
    return worst(states) if states else ""


PROVIDER_COLUMNS = (
    "Provider",
    "Control",
    "Title",
    "Class",
    "The provider does",
    "For these services",
    "Proven by",
    "State",
)


def provider_lines(duties: Sequence[ProviderDuty]) -> list[list[str]]:
    """The duties as a table; reports by name, never their text (R27)."""
    return [
        [
            duty.provider,
            duty.label,
            duty.title,
            duty.responsibility,
            ", ".join(duty.layers),
            ", ".join(duty.services),
            "; ".join(duty.reports),
            duty.proof,
        ]
        for duty in duties
    ]
