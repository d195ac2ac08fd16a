"""What reports say that a system has to answer, made from rows: carve-outs, exceptions,
and controls expected of us.

Source: rules R20, R24 and R26.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from evidence.status.facts import ArtifactVersionFacts, CarvedOutFacts, NeededService
from evidence.status.reports import RELIED_ON, layers_run
from evidence.status.rows import Row, as_json

# Key, kind, title, slug of a provider, layers, ids of controls, what became of it.
Remark = tuple[int, str, str, str, list[str], list[str], Any]
# A control that a series expects of us, whichever of its reports says so.
UserControl = tuple[int, str]


class RemarksOfReports:
    """The remarks of all reports, as the facts of one system need them.

    `exceptions` are those of a report by its uuid, each with the controls it touches
    and whether a response to it was accepted; `touched` are the controls of them all.
    `user_controls` names those expected of us by their key: the key of the series and
    their number, which another series may use for something else. `expected` are those
    of reports that are relied on, by the key of their series, with their controls; also
    of one that its auditor withdrew, until a second person does not rely on it.
    """

    def __init__(self, versions: Iterable[Row]) -> None:
        self.exceptions: defaultdict[str, list[tuple[frozenset[str], bool]]]
        self.exceptions = defaultdict(list)
        self.user_controls: dict[int, UserControl] = {}
        self.expected: defaultdict[int, list[tuple[str, frozenset[str]]]]
        self.expected = defaultdict(list)
        for version in versions:
            for pk, kind, title, _, _, control_ids, standing in _remarks(version):
                controls = frozenset(control_ids)
                if kind == "exception":
                    answered = standing == "response"
                    self.exceptions[str(version["uuid"])].append((controls, answered))
                elif kind == "user-control":
                    self.user_controls[pk] = (version["artifact_id"], title)
                    if version["conclusion"] in RELIED_ON:
                        self.expected[version["artifact_id"]].append((title, controls))
        self.touched = frozenset(
            ref_id
            for exceptions in self.exceptions.values()
            for controls, _ in exceptions
            for ref_id in controls
        )


def _remarks(version: Row) -> Iterable[Remark]:
    return as_json(version["remarks"]) or ()


def carved_out(version: Row) -> tuple[CarvedOutFacts, ...]:
    """The subservice organisations that a report leaves out."""
    return tuple(
        CarvedOutFacts(title, provider, frozenset(layers), standing)
        for _, kind, title, provider, layers, _, standing in _remarks(version)
        if kind == "subservice"
    )


def needs_carved_out(
    needed: Iterable[NeededService], versions: Iterable[ArtifactVersionFacts]
) -> tuple[NeededService, ...]:
    """What organisations run that reports relied on leave out, and that the system
    says are providers of their own: a need of each on the days of use (R20)."""
    carved_out = {
        (version.provider, organisation)
        for version in versions
        if version.reliance in RELIED_ON and version.citation == "accepted"
        for organisation in version.carved_out
        if organisation.standing == "provider"
    }
    needs = {
        NeededService(
            slug=organisation.provider,
            scope="site",
            used_from=need.used_from,
            used_until=need.used_until,
            is_global=False,
            regions=(),
            layers=run,
            provider=organisation.provider,
            provider_name=organisation.name,
            sites=(),
        )
        for provider, organisation in carved_out
        for need in needed
        if need.provider == provider and (run := layers_run(organisation, need))
    }
    return tuple(
        sorted(
            needs, key=lambda n: (n.provider, n.used_from, n.layers, n.provider_name)
        )
    )
