"""The system in a security plan: what it is, its components, what it leans on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.service_names import component_name
from evidence.exports.formats.oscal.head import PROVIDER, DocumentHead
from evidence.exports.formats.oscal.leveraged import (
    REPORTS,
    authorization,
    of_report,
    relied_on,
)
from evidence.exports.formats.oscal.texts import (
    names_of_components,
    one_line,
    prop,
)
from evidence.exports.formats.oscal.writing import Node
from evidence.exports.rows.scope import ExportScope
from evidence.status.control_status import ControlStatus
from evidence.status.facts import NeededService
from evidence.status.reports import names
from evidence.status.rows import read_rows

AWS = "aws"
COMPONENTS = """
SELECT c.uuid, c.name, c.regions, c.provided_by, c.used_from, v.slug AS variant,
       s.slug AS service, s.provider AS offered_by, s.category
  FROM {component} c
  JOIN controls_servicevariant v ON v.id = c.variant_id
  JOIN controls_service s ON s.id = v.service_id
 WHERE c.system_id = %(system)s AND c.used_from <= %(day)s
   AND (c.used_until IS NULL OR c.used_until > %(day)s)
 ORDER BY c.id
"""
TEAMS = """
SELECT i.id, t.uuid, t.name FROM {implementation} i
  JOIN {team} t ON t.id = i.owner_team_id
 WHERE i.system_id = %(system)s ORDER BY t.name, i.id
"""
# What is neither AWS's nor the organisation of the system itself, by its category.
TYPES = {
    "premises": "physical",
    "devices": "hardware",
    "network": "network",
    "software": "software",
}
INFORMATION = (
    "No list of information types is kept in this record; the impact level of the"
    " system stands for all of them."
)


@dataclass(frozen=True)
class Surroundings:
    """What the controls of a system refer to: components, providers, reports, teams.

    `names` are display names of services; `providers` names by slug, in order;
    `team_of` is the team of a control by the key of its implementation.
    """

    names: Mapping[str, str]

    components: Sequence[Mapping[str, Any]]
    providers: Mapping[str, str]
    reports: Sequence[Mapping[str, Any]]
    teams: Mapping[str, str]
    team_of: Mapping[int, str]


def surroundings(scope: ExportScope, answers: Sequence[ControlStatus]) -> Surroundings:
    """What surrounds the controls on the day, as known then. Four statements."""
    about = {"system": scope.system.pk}
    components = read_rows(COMPONENTS, scope.moment, **about)
    uuids = [version.uuid for version in relied_on(answers, scope.moment.on)]
    reports = read_rows(REPORTS, scope.moment, reports=uuids)
    team_rows = read_rows(TEAMS, scope.moment, **about)
    providers = {row["provider_slug"]: row["provider"] for row in reports}
    for answer in answers:
        for need in needed_on(answer, scope.moment.on):
            providers[need.provider] = need.provider_name
        for part in answer.status.providers:
            providers.setdefault(part.provider, part.name)
    if any(row["offered_by"] == AWS for row in components):
        providers[AWS] = "AWS"
    return Surroundings(
        names=names_of_components(),
        components=components,
        providers=dict(sorted(providers.items())),
        reports=reports,
        teams={str(row["uuid"]): row["name"] for row in team_rows},
        team_of={row["id"]: str(row["uuid"]) for row in team_rows},
    )


def needed_on(answer: ControlStatus, day: dt.date) -> list[NeededService]:
    """What makes providers parties of a control on a day."""
    if answer.facts.aws is None:
        return []
    return [
        need
        for need in answer.facts.aws.needed
        if need.used_from <= day and (need.used_until is None or day < need.used_until)
    ]


def parties(head: DocumentHead, around: Surroundings) -> list[Node]:
    """Providers and the teams that own controls."""
    return [
        *(
            {
                "uuid": head.names.of("party", "provider", slug),
                "type": "organization",
                "name": one_line(name),
            }
            for slug, name in around.providers.items()
        ),
        *(
            {
                "uuid": head.names.of("party", "team", key),
                "type": "organization",
                "name": one_line(name),
            }
            for key, name in around.teams.items()
        ),
    ]


def characteristics(head: DocumentHead, around: Surroundings) -> Node:
    """What the system is, as far as it is recorded."""
    level = head.fips_level
    objectives = ("confidentiality", "integrity", "availability")
    information: Node = {
        "uuid": head.names.of("information"),
        "title": "Information of the system",
        "description": INFORMATION,
    }
    information |= {f"{objective}-impact": {"base": level} for objective in objectives}
    impact = {f"security-objective-{objective}": level for objective in objectives}
    in_use = bool(around.components)
    return {
        "system-ids": [
            {
                "identifier-type": "https://ietf.org/rfc/rfc4122",
                "id": str(head.scope.system.uuid),
            }
        ],
        "system-name": one_line(head.heading.system),
        "description": head.description,
        "security-sensitivity-level": level,
        "system-information": {"information-types": [information]},
        "security-impact-level": impact,
        "status": {"state": "operational" if in_use else "under-development"},
        "authorization-boundary": {"description": head.description},
    }


def implementation(head: DocumentHead, around: Surroundings) -> Node:
    """Authorizations that the system leans on, roles, and its components."""
    return {
        "leveraged-authorizations": [
            authorization(head, row) for row in around.reports
        ],
        "users": head.users(),
        "components": [
            this_system(head),
            *(_provider(head, around, slug) for slug in around.providers),
            *(_component(head, around, row) for row in around.components),
        ],
    }


def this_system(head: DocumentHead) -> Node:
    """The component that stands for the system itself."""
    return {
        "uuid": head.names.of("component", "this-system"),
        "type": "this-system",
        "title": one_line(head.heading.system),
        "description": head.description,
        "status": {"state": "operational"},
    }


def _provider(head: DocumentHead, around: Surroundings, slug: str) -> Node:
    """A provider as a component of its own, which by-components refer to."""
    reports = [row for row in around.reports if row["provider_slug"] == slug]
    return {
        "uuid": head.names.of("component", "provider", slug),
        "type": "system",
        "title": one_line(around.providers[slug]),
        "description": "What this provider runs for the system.",
        "props": [
            prop("implementation-point", "external", ns=""),
            *_leans_on(head, reports),
        ],
        "status": {"state": "operational"},
        "responsible-roles": [
            {
                "role-id": PROVIDER,
                "party-uuids": [head.names.of("party", "provider", slug)],
            }
        ],
    }


def _leans_on(
    head: DocumentHead, reports: Iterable[Mapping[str, Any]]
) -> list[dict[str, str] | None]:
    return [
        prop("leveraged-authorization-uuid", of_report(head, row), ns="")
        for row in reports
    ]


def _component(
    head: DocumentHead, around: Surroundings, row: Mapping[str, Any]
) -> Node:
    of_aws = row["offered_by"] == AWS
    ours = row["offered_by"] == "customer"
    title = component_name(around.names, row["service"], row["variant"])
    reports = [
        report
        for report in around.reports
        if of_aws
        and report["provider_slug"] == AWS
        and names(report["service_slugs"], row["service"])
    ]
    return {
        "uuid": head.names.of("component", str(row["uuid"])),
        "type": "service" if of_aws else TYPES.get(row["category"], "service"),
        "title": one_line(f"{title}: {row['name']}" if row["name"] else title),
        "description": one_line(f"{title}, in use since {row['used_from']}."),
        "props": [
            prop("implementation-point", "internal" if ours else "external", ns=""),
            prop("service", row["service"]),
            prop("variant", row["variant"]),
            prop("provided-by", row["provided_by"] or ("AWS" if of_aws else "")),
            *(prop("region" if of_aws else "site", place) for place in row["regions"]),
            prop("in-use-since", row["used_from"]),
            *_leans_on(head, reports),
        ],
        "status": {"state": "operational"},
    }
