"""What class should hold on every day: the template, the provider's words, overrides.

Each rules over the one before it on its days (R9). Pure but for reading rows and for
keeping the text of new bases.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from controls.models import (
    Basis,
    Control,
    ControlImplementation,
    ProviderStatement,
    ResponsibilityOverride,
    System,
    SystemComponent,
)
from controls.models.decisions import DecisionSource
from controls.models.requests import ApprovalState
from controls.responsibility.derive import derive
from controls.responsibility.inputs import in_use, layers_of_controls
from controls.responsibility.timelines import (
    LAST,
    Span,
    cut_at,
    mapped,
    merged,
    paint,
)

PARTIES = {
    "inherited": frozenset({"aws"}),
    "shared": frozenset({"aws", "customer"}),
    "customer": frozenset({"customer"}),
    "none": frozenset(),
    "unclassified": frozenset({"customer"}),
}


@dataclass(frozen=True)
class Ruling:
    """A class with its basis, as it would stand in a decision."""

    responsibility: str
    basis: str
    source: str = DecisionSource.DERIVED.value
    override: int | None = None
    statement: int | None = None
    reason: str = field(default="", compare=False)  # follows from the other fields


Line = list[Span[Ruling]]


def due_rulings(
    system: System, implementations: list[ControlImplementation]
) -> dict[int, Line]:
    """What should hold on every day, by implementation.

    The derived class, then what current and ended documents say on their days, then
    approved overrides. Among documents the one that starts last rules.
    """
    controls = [implementation.control for implementation in implementations]
    derived = _derived(system, controls)
    statements = _statements(system)
    overrides = _overrides(system)
    return {
        implementation.pk: _with_overrides(
            _with_statements(
                derived[implementation.control_id], statements[implementation.pk]
            ),
            overrides[implementation.pk],
        )
        for implementation in implementations
    }


def template_classes(
    system: System, controls: Iterable[Control], day: dt.date
) -> dict[int, str]:
    """The class that the services in use give each control on a day, by its pk.

    Neither documents nor overrides have a say here; nothing is written.
    """
    controls = list(controls)
    components = SystemComponent.objects.filter(system=system).with_layers()
    running = in_use(components.order_by("pk"), day, has_own_code=system.own_code)
    layers = layers_of_controls(controls)
    memo = {
        governed: derive(governed, running).responsibility
        for governed in layers.values()
    }
    return {control.pk: memo[layers[control.pk]] for control in controls}


def _derived(system: System, controls: list[Control]) -> dict[int, Line]:
    """Class and basis of each control on every day, from the services in use."""
    components = list(
        SystemComponent.objects.filter(system=system).with_layers().order_by("pk")
    )
    layers = layers_of_controls(controls)
    bounds = [day for c in components for day in (c.used_from, c.used_until)]
    lines: dict[int, list[Span[tuple[str, str]]]] = defaultdict(list)
    memo: dict[Any, tuple[str, str]] = {}
    bodies: dict[str, Any] = {}
    for start, end in cut_at(bounds):
        running = in_use(components, start, has_own_code=system.own_code)
        names = tuple(sorted((c.component, c.variant) for c in running))
        for control in controls:
            key = (names, layers[control.pk])
            if key not in memo:
                memo[key] = _class_and_basis(layers[control.pk], running, bodies)
            lines[control.pk].append(Span(start, end, memo[key]))
    Basis.objects.keep(bodies.values())
    return {
        pk: mapped(merged(line), lambda value: Ruling(value[0], value[1]))
        for pk, line in lines.items()
    }


def _class_and_basis(
    layers: frozenset[str] | None, running: list[Any], bodies: dict[str, Any]
) -> tuple[str, str]:
    """Class and basis digest; the basis itself is put aside to be stored."""
    derivation = derive(layers, running)
    body = derivation.as_json()
    digest = Basis.digest_of(Basis.text_of(body))
    bodies[digest] = body
    return derivation.responsibility, digest


def _statements(system: System) -> dict[int, list[ProviderStatement]]:
    """What the system's documents say, by implementation, the latest start last."""
    rows = (
        ProviderStatement.objects.filter(document__system=system)
        .adopted()
        .select_related("document")
        .order_by("document__starts_on", "document_id")
    )
    by_implementation: dict[int, list[ProviderStatement]] = defaultdict(list)
    for statement in rows:
        by_implementation[statement.implementation_id].append(statement)
    return by_implementation


def _with_statements(line: Line, statements: list[ProviderStatement]) -> Line:
    """R9: the provider's own words rule over the template; the basis stays ours."""
    result = line
    for statement in statements:
        document = statement.document
        for span in line:
            first = max(span.start, document.starts_on)
            last = min(span.end, document.ended_on or LAST)
            if first < last:
                ruling = _stated(span.value, statement)
                result = paint(result, Span(first, last, ruling))
    return result


def _stated(derived: Ruling, statement: ProviderStatement) -> Ruling:
    return replace(
        derived,
        responsibility=statement.responsibility,
        source=DecisionSource.PROVIDER_DOCUMENT.value,
        statement=statement.pk,
        reason=str(statement.document),
    )


def _overrides(system: System) -> dict[int, list[ResponsibilityOverride]]:
    approved = ResponsibilityOverride.objects.filter(
        implementation__system=system, state=ApprovalState.APPROVED
    ).order_by("known_from", "pk")
    by_implementation: dict[int, list[ResponsibilityOverride]] = defaultdict(list)
    for override in approved:
        by_implementation[override.implementation_id].append(override)
    return by_implementation


def _with_overrides(line: Line, overrides: list[ResponsibilityOverride]) -> Line:
    """R9: an override holds to its end; after it the union does, until settled."""
    result = line
    for override in overrides:
        settled = override.settled_on or LAST
        after = min(override.ends_on + dt.timedelta(days=1), settled)
        result = _laid(result, line, override.starts_on, after, override, expired=False)
        result = _laid(result, line, after, settled, override, expired=True)
    return result


def _laid(
    onto: Line,
    under: Line,
    start: dt.date,
    end: dt.date,
    override: ResponsibilityOverride,
    *,
    expired: bool,
) -> Line:
    """`onto` with the override's ruling on each span of `under` between two days."""
    for span in under:
        first, last = max(span.start, start), min(span.end, end)
        if first < last:
            ruling = _overridden(span.value, override, expired=expired)
            onto = paint(onto, Span(first, last, ruling))
    return onto


def _overridden(
    under: Ruling, override: ResponsibilityOverride, *, expired: bool
) -> Ruling:
    parties = PARTIES[override.responsibility]
    source = DecisionSource.OVERRIDE
    if expired:
        parties = parties | PARTIES[under.responsibility]
        source = DecisionSource.OVERRIDE_EXPIRED
    return replace(
        under,
        responsibility=_class_of(parties),
        source=source.value,
        override=override.pk,
        statement=under.statement if expired else None,
        reason=override.reason,
    )


def _class_of(parties: frozenset[str]) -> str:
    return next(name for name, of_class in PARTIES.items() if of_class == parties)
