"""What a kind of report usually speaks to, family by family (R24).

The list is shipped and made by hand. It proves nothing: each line is confirmed by a
person who has read the report.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from controls.errors import Refused
from controls.models import Actor, Control
from evidence.artifacts.coverage import add_proposals, require_open_coverage
from evidence.models import Artifact, ArtifactVersion

SHIPPED = Path(__file__).parent.parent / "reference" / "coverage_proposals.csv"


@dataclass(frozen=True)
class ShippedProposal:
    """Controls of one family that reports of these schemes usually speak to."""

    schemes: frozenset[str]
    family: str
    ref_ids: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class FamilyProposal:
    """What a report may speak to in one family, with how many lines it would add."""

    family: str
    title: str
    sentence: str
    controls: tuple[Control, ...]
    new: int


@cache
def shipped_proposals() -> tuple[ShippedProposal, ...]:
    """The shipped list in its order."""
    with SHIPPED.open(newline="", encoding="utf-8") as file:
        return tuple(
            ShippedProposal(
                frozenset(row["schemes"].split()),
                row["family"],
                tuple(row["controls"].split()),
                row["sentence"],
            )
            for row in csv.DictReader(file)
        )


def proposals_for(version: ArtifactVersion) -> list[FamilyProposal]:
    """The families that this kind of report usually speaks to. Two statements."""
    shipped = _of(version.artifact)
    ref_ids = {ref_id for proposal in shipped for ref_id in proposal.ref_ids}
    known = Control.objects.live().filter(ref_id__in=ref_ids).order_by("-catalog_id")
    controls = {control.ref_id: control for control in known}
    lines = version.coverage_lines.filter(part="")
    covered = set(lines.values_list("control", flat=True))
    families = []
    for proposal in shipped:
        of_family = tuple(controls[r] for r in proposal.ref_ids if r in controls)
        if of_family:
            new = sum(control.pk not in covered for control in of_family)
            families.append(
                FamilyProposal(
                    proposal.family,
                    of_family[0].family_title,
                    proposal.sentence,
                    of_family,
                    new,
                )
            )
    return families


def _of(artifact: Artifact) -> list[ShippedProposal]:
    return [p for p in shipped_proposals() if artifact.scheme in p.schemes]


def propose_coverage(
    version: ArtifactVersion, families: Sequence[str], *, by: Actor
) -> int:
    """Add the proposals of these families as lines to be confirmed; how many.

    Raises NotPermitted, Refused for a family without a proposal and where nothing of
    it is new.
    """
    require_open_coverage(version, by=by)
    chosen = [p for p in _of(version.artifact) if p.family in families]
    unknown = sorted(set(families) - {proposal.family for proposal in chosen})
    if unknown:
        named = ", ".join(unknown[:5])
        raise Refused({"families": f"Nothing is proposed for {named}."})
    if not chosen:
        raise Refused({"families": "Tick the families that the report speaks to."})
    ref_ids = [ref_id for proposal in chosen for ref_id in proposal.ref_ids]
    known = Control.objects.live().filter(ref_id__in=ref_ids)
    loaded = set(known.values_list("ref_id", flat=True))
    return add_proposals(version, [r for r in ref_ids if r in loaded], by=by)
