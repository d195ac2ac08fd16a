"""Who answers for what in a system: each control beside each service in use.

Classes and duties are those of the decisions in force on the day; which report proves
the provider's part is judged by the rules of proof. Source: rules R1, R3, R4 and R9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from controls.models import System
from controls.responsibility.inputs import UNREAD_SERVICE
from controls.service_names import component_name
from evidence.status.aws_half import NeedProof, need_proofs
from evidence.status.control_filter import matching_rows
from evidence.status.control_status import listed
from evidence.status.facts_from_rows import named_sources, parties_of
from evidence.status.gather import (
    Moment,
    about_systems,
    aws_sides,
    bases_of,
    read_of_aws,
)
from evidence.status.half import worst
from evidence.status.rows import Row, as_bigints
from evidence.systems.matrix_parts import PartReading, part_readings
from evidence.systems.matrix_rows import (
    MatrixControl,
    MatrixDuty,
    MatrixPart,
    MatrixRow,
    Names,
    RowGroup,
)

ORGANISATION = "organisation"
UNREAD_CONTROL = "Nobody has read this control: it counts as yours"
# What narrows the rows of a control, by the name of the filter `duty`.
DUTIES = ("ours", "configured", "provided", "theirs")


def matrix(
    system: System, moment: Moment, filters: Mapping[str, str]
) -> list[MatrixControl]:
    """The controls that all filters mean, in catalog order, without their reports.

    Filters are those of the list of controls, and `service` (a slug) and `duty` (one of
    DUTIES). Two statements, one more with words. What was found not applicable has no
    rows: nobody has a duty there.
    """
    return of_rows(matching_rows(listed(system, moment), filters), moment, filters)


def of_rows(
    rows: Sequence[Row], moment: Moment, filters: Mapping[str, str]
) -> list[MatrixControl]:
    """The same of rows of `listed`. Three statements at most."""
    bases = bases_of(moment, (row["basis_id"] for row in rows))
    read = part_readings((row["control_id"] for row in rows), moment.known_at)
    memo: dict[Any, tuple[MatrixRow, ...]] = {}
    controls = []
    for row in rows:
        key = (row["basis_id"], row["responsibility"])
        if key not in memo:
            basis = bases.get(row["basis_id"], [])
            memo[key] = _narrowed(_rows_of(row, basis), filters)
        shown = () if row["applicability"] == "not-applicable" else memo[key]
        parts = _parts(row, bases, read.get(row["control_id"], ()), filters)
        controls.append(MatrixControl(row, shown, parts=parts if shown else ()))
    if filters.get("service") or filters.get("duty"):
        return [control for control in controls if control.rows]
    return controls


def _rows_of(row: Row, basis: Iterable[Mapping[str, Any]]) -> tuple[MatrixRow, ...]:
    """A row for each component of the basis, as far as the class in force has it."""
    parties = parties_of(row)
    by_component: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for part in basis:
        key = (part["component"], part["variant"])
        by_component.setdefault(key, []).append(part)
    rows = [_row(*key, parts, parties) for key, parts in by_component.items()]
    rows = [made for made in rows if made.theirs or made.ours]
    if "customer" in parties and not any(made.ours for made in rows):
        rows.append(_whole(row))
    return tuple(sorted(rows, key=lambda r: (r.component != ORGANISATION, r.component)))


def _parts(
    row: Row,
    bases: Mapping[str, Sequence[Mapping[str, Any]]],
    readings: Sequence[PartReading],
    filters: Mapping[str, str],
) -> tuple[MatrixPart, ...]:
    """The parts that differ, where the class in force is the one derived from them."""
    if not readings or row["source"] != "derived":
        return ()
    basis = bases.get(row["basis_id"], [])
    whole = _rows_of(row, basis)
    parts = []
    for reading in readings:
        of_part = [part for part in basis if part["layer"] in reading.layers]
        rows = _rows_of(row, of_part) if of_part else ()
        if not any(part["party"] == "customer" for part in of_part):
            # our duty of the control lies in its other parts
            rows = tuple(made for made in rows if made.theirs)
        if rows != whole and (shown := _narrowed(rows, filters)):
            label = f"{row['label']} {', '.join(reading.labels)}"
            parts.append(MatrixPart(label, shown))
    return tuple(parts)


def _row(
    component: str,
    variant: str,
    parts: Sequence[Mapping[str, Any]],
    parties: frozenset[str],
) -> MatrixRow:
    theirs = tuple(
        dict.fromkeys(
            part["layer"]
            for part in parts
            if part["party"] != "customer" and "aws" in parties
        )
    )
    ours = tuple(
        dict.fromkeys(
            MatrixDuty(part["layer"], part["kind"])
            for part in parts
            if part["party"] == "customer" and "customer" in parties
        )
    )
    sources = tuple(dict.fromkeys(part["source"] for part in parts))
    both = "shared" if theirs else "customer"
    if UNREAD_SERVICE in sources:
        both = "unclassified"
    return MatrixRow(
        component, variant, both if ours else "inherited", theirs, ours, sources
    )


def _whole(row: Row) -> MatrixRow:
    """Our duty where no layer names it: of the control as a whole."""
    unread = not row["responsibility"] or row["responsibility"] == "unclassified"
    return MatrixRow(
        ORGANISATION,
        "",
        "unclassified" if unread else "customer",
        (),
        (MatrixDuty("", "provided"),),
        (UNREAD_CONTROL,) if unread else (),
    )


def _narrowed(
    rows: tuple[MatrixRow, ...], filters: Mapping[str, str]
) -> tuple[MatrixRow, ...]:
    service, duty = filters.get("service"), filters.get("duty")
    return tuple(
        row
        for row in rows
        if (not service or row.component == service)
        and (not duty or _has_duty(row, duty))
    )


def _has_duty(row: MatrixRow, duty: str) -> bool:
    if duty == "theirs":
        return bool(row.theirs)
    return bool(row.ours if duty == "ours" else row.names_of(duty))


def with_reports(
    system: System, moment: Moment, controls: Sequence[MatrixControl]
) -> list[MatrixControl]:
    """The controls with who provides each row, its reports and how they stand.

    Six statements at most, however many controls. Raises LookupError when the system
    was not recorded by the moment.
    """
    rows = [control.control for control in controls]
    every = {"implementations": as_bigints(row["id"] for row in rows)}
    about = about_systems([system], moment)
    bases = bases_of(moment, (row["basis_id"] for row in rows))
    side = aws_sides(about, bases, read_of_aws([system], moment, every))[system.pk]
    judged: dict[int, dict[str, list[NeedProof]]] = {}
    shown = []
    for control in controls:
        row = control.control
        proofs: dict[str, list[NeedProof]] = {}
        if "aws" in parties_of(row):
            facts = side.facts(
                row["control_id"],
                frozenset({row["basis_id"] or ""}),
                row["ref_id"],
                named_sources([row["needed_from"]]),
            )
            if id(facts) not in judged:
                judged[id(facts)] = _by_component(need_proofs(facts, moment.on))
            proofs = judged[id(facts)]
        expected = side.expected_of_us(row["control_id"], row["ref_id"])
        shown.append(
            replace(
                control,
                rows=tuple(_with_proof(made, proofs) for made in control.rows),
                parts=tuple(
                    replace(
                        part,
                        rows=tuple(_with_proof(made, proofs) for made in part.rows),
                    )
                    for part in control.parts
                ),
                expected=tuple(sorted({title for _, title in expected})),
            )
        )
    return shown


def _by_component(proofs: Iterable[NeedProof]) -> dict[str, list[NeedProof]]:
    by_component: dict[str, list[NeedProof]] = {}
    for proof in proofs:
        by_component.setdefault(proof.need.slug, []).append(proof)
    return by_component


def _with_proof(row: MatrixRow, proofs: Mapping[str, list[NeedProof]]) -> MatrixRow:
    of_row = proofs.get(row.component, [])
    if not row.theirs or not of_row:
        return row
    providers = dict.fromkeys(proof.need.provider_name for proof in of_row)
    return replace(
        row,
        provider=", ".join(providers),
        reports=tuple(dict.fromkeys(p.report for p in of_row if p.report)),
        proof=worst(proof.result.state for proof in of_row),
    )


def grouped_rows(control: MatrixControl | MatrixPart, names: Names) -> list[RowGroup]:
    """The rows of a control or part, those that say the same made one; ours first."""
    groups: dict[MatrixRow, list[MatrixRow]] = {}
    for row in control.rows:
        same = replace(row, component="", variant="", sources=())
        groups.setdefault(same, []).append(row)
    shown = []
    for same, rows in groups.items():
        sources = dict.fromkeys(source for row in rows for source in row.sources)
        shown.append(
            RowGroup(
                tuple(component_name(names, r.component, r.variant) for r in rows),
                replace(same, sources=tuple(sources)),
            )
        )
    return sorted(shown, key=lambda group: not group.row.ours)


def services_of(controls: Iterable[MatrixControl], names: Names) -> dict[str, str]:
    """The components of the rows by slug, with their names, in order of these."""
    slugs = {row.component for control in controls for row in control.rows}
    named = {slug: component_name(names, slug) for slug in slugs}
    return dict(sorted(named.items(), key=lambda item: item[1].casefold()))
