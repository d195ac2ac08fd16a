"""The scope of a report by a list: matched to our services, seen, then confirmed once.

Of AWS a list names services and regions, of another provider its sites or services by
name (R23). Once a system has reviewed a report its scope stays as it was read (R24).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import F

from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, AuditEvent, Service
from controls.models.audit import about
from controls.models.systems import partition_of
from controls.provider_names import AWS
from controls.reference.aws_names import (
    AwsNames,
    ListedName,
    NameMeaning,
    NamesOfLine,
)
from controls.sealed_previews import seal, unseal
from evidence.artifacts.register import SITE, all_or_names, require_registrar
from evidence.models import ArtifactVersion, ScopeSetting
from evidence.models.artifacts import ArtifactVersionState

SALT = "scope of a report"
AGAIN = "Send the list again."
How = Literal["add", "replace"]


@dataclass(frozen=True)
class ScopeChoice:
    """A name that no one thing of ours bears, with what it may mean."""

    name: ListedName
    candidates: tuple[Service, ...]
    sentence: str


@dataclass(frozen=True)
class ScopeChange:
    """What comes to one part of the scope (`services`, `regions`, `sites`) or goes."""

    heading: str
    part: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ScopeProposal:
    """What the scope would be: before and after as slugs, region codes and sites.

    `matched`: names with what they mean; `unmatched`: nothing of ours, or several;
    `excluded`: names whose own line says that they are not in scope.
    """

    matched: tuple[NameMeaning, ...]
    unmatched: tuple[ScopeChoice, ...]
    excluded: tuple[NameMeaning, ...]
    before: dict[str, list[str]]
    after: dict[str, list[str]]

    @property
    def changed_parts(self) -> list[ScopeChange]:
        """What would come, then what would go; parts that stay as they are left out."""
        added, removed = changed_names(self.before, self.after)
        return [
            ScopeChange(f"{heading}: {part}", part, tuple(names))
            for heading, parts in (("Come in", added), ("Go out", removed))
            for part, names in parts.items()
        ]

    @property
    def changes(self) -> bool:
        """Whether the scope would be another one."""
        return self.before != self.after


def require_open_scope(version: ArtifactVersion, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the register, TransitionNotAllowed for a
    report that has ended or that a system has reviewed with the scope it has (R24)."""
    require_registrar(by)
    if version.state != ArtifactVersionState.ACTIVE:
        word = version.get_state_display().lower()
        raise TransitionNotAllowed(f"This report is {word}: its scope stays as it is.")
    if version.reliance_reviews.exists():
        raise TransitionNotAllowed(
            "This report was reviewed with the scope that it has, and verdicts rest on"
            " it. If the scope is wrong, register the report anew under another label"
            " and have that one reviewed; then record that this one is superseded."
        )


def propose_scope(
    version: ArtifactVersion, lines: Sequence[NamesOfLine], how: How, *, by: Actor
) -> ScopeProposal:
    """What the scope would be by a list. Writes nothing.

    `replace` makes the list the whole of what it names: services, regions, or both.
    Raises as `require_open_scope`; Refused for a list without a name.
    """
    require_open_scope(version, by=by)
    if not lines:
        raise Refused({"text": "The list names nothing."})
    if version.artifact.provider_slug != AWS:
        return _proposal_of_sites(version, lines, how)
    matched, unmatched, excluded = [], [], []
    for meaning in AwsNames().meanings(lines):
        foreign = meaning.region and partition_of(meaning.region) != version.partition
        if meaning.excluded:
            excluded.append(meaning)
        elif foreign:
            sentence = (
                f"{meaning.region} lies in another partition than this report:"
                f" {version.get_partition_display()}."
            )
            unmatched.append(ScopeChoice(meaning.name, (), sentence))
        elif meaning.is_known:
            matched.append(meaning)
        else:
            sentence = "No service or region that we know."
            unmatched.append(ScopeChoice(meaning.name, meaning.candidates, sentence))
    services = {meaning.service.slug for meaning in matched if meaning.service}
    regions = {meaning.region for meaning in matched if meaning.region}
    before = _scope(version)
    after = before | {
        "services": _united(before["services"], services, how),
        "regions": _united(before["regions"], regions, how),
    }
    return ScopeProposal(
        tuple(matched), tuple(unmatched), tuple(excluded), before, after
    )


def _proposal_of_sites(
    version: ArtifactVersion, lines: Iterable[NamesOfLine], how: How
) -> ScopeProposal:
    sites: set[str] = set()
    unmatched = []
    for line in lines:
        for piece in line.pieces:
            name = " ".join(piece.split())
            if name and SITE.match(name):
                sites.add(name)
            elif name:
                sentence = "No name of a site: letters, digits and spaces, at most 60."
                listed = ListedName(line.line, name)
                unmatched.append(ScopeChoice(listed, (), sentence))
    before = _scope(version)
    after = before | {"sites": _united(before["sites"], sites, how)}
    return ScopeProposal((), tuple(unmatched), (), before, after)


def _scope(version: ArtifactVersion) -> dict[str, list[str]]:
    return {
        "services": sorted(version.service_slugs),
        "regions": sorted(version.regions),
        "sites": sorted(version.sites),
    }


def _united(before: Sequence[str], named: Collection[str], how: How) -> list[str]:
    """The scope after a list; one of which the list names nothing stays."""
    if not named:
        return sorted(before)
    if how == "replace":
        return all_or_names(named)
    return all_or_names((*before, *named))


def sealed_scope(
    version: ArtifactVersion, proposal: ScopeProposal, *, by: Actor
) -> str:
    """What was shown, as a text that who asked may confirm once within an hour.

    Raises Refused where neither the list nor a candidate would change anything.
    """
    offered = sorted({s.slug for row in proposal.unmatched for s in row.candidates})
    if not proposal.changes and not offered:
        raise Refused("Nothing of this would change the scope.")
    body = {
        "version": version.version,
        "before": proposal.before,
        "after": proposal.after,
        "offered": offered,
    }
    return seal(SALT, version.pk, body, by=by)


def confirm_scope(
    version: ArtifactVersion, token: str, *, also: Collection[str] = (), by: Actor
) -> int:
    """Make the scope what the preview of the token showed, and the offered services
    `also`; how many names came or went.

    Confirmed again it is the same answer. Raises KeyReused for other services `also`
    than were confirmed before, TransitionNotAllowed when the token is
    too old, another person's, or the report changed since, and as `require_open_scope`.
    """
    require_registrar(by)
    verb = f"set the scope of report {version.pk}"
    request = KeyedRequest.of_preview(by, verb, token, chosen=sorted(also))
    with first_use(request) as key:
        if key.answered:
            return int(json.loads(key.body))
        body = unseal(SALT, token, version.pk, by=by, again=AGAIN)
        reports = ArtifactVersion.objects.select_for_update(of=("self",))
        stored = reports.select_related("artifact").get(pk=version.pk)
        require_open_scope(stored, by=by)
        before = _scope(stored)
        if (stored.version, before) != (body["version"], body["before"]):
            raise TransitionNotAllowed(f"The report changed since. {AGAIN}")
        foreign = sorted(set(also) - set(body["offered"]))
        if foreign:
            raise Refused(f"The preview did not offer {', '.join(foreign[:5])}.")
        after = body["after"]
        if also:
            after |= {"services": _united(after["services"], also, "add")}
        changed = _store_scope(stored, before, after, by)
        key.answer_with(200, body=json.dumps(changed))
    return changed


def changed_names(
    before: dict[str, list[str]], after: dict[str, list[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What came to each part of the scope, and what went out of it."""
    added = {part: sorted(set(after[part]) - set(before[part])) for part in after}
    removed = {part: sorted(set(before[part]) - set(after[part])) for part in after}
    return (
        {part: names for part, names in added.items() if names},
        {part: names for part, names in removed.items() if names},
    )


def _store_scope(
    stored: ArtifactVersion,
    before: dict[str, list[str]],
    after: dict[str, list[str]],
    by: Actor,
) -> int:
    added, removed = changed_names(before, after)
    changed = sum(map(len, [*added.values(), *removed.values()]))
    if not changed:
        raise Refused("Nothing of this would change the scope.")
    stored.service_slugs, stored.regions = after["services"], after["regions"]
    stored.sites = after["sites"]
    stored.version = F("version") + 1
    stored.save(update_fields=["service_slugs", "regions", "sites", "version"])
    stored.services.set(Service.objects.filter(slug__in=after["services"]))
    ScopeSetting.objects.create(artifact_version=stored, set_by_id=by.pk)
    AuditEvent.objects.append(
        about(
            stored,
            "artifact-version.scoped",
            by=by,
            added=added,
            removed=removed,
        )
    )
    return changed
