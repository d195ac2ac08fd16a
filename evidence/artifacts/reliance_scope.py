"""What a system uses of a provider, line by line against a report's scope (R23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from controls.models import System, SystemComponent
from controls.provider_names import AWS, provider_slug
from evidence.models import ArtifactVersion
from evidence.status.reports import names

EVERYTHING = "*"  # stands for all services, regions or sites
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class ScopeLine:
    """Something in use at one place, and whether the report names it.

    `code` is in-scope, global, service-out, region-out, site-out or unknown; `last`
    None: still in use.
    """

    name: str
    place: str
    first: dt.date
    last: dt.date | None
    code: str
    sentence: str

    @property
    def fits(self) -> bool:
        """Whether the report speaks of it."""
        return self.code in {"in-scope", "global"}


def scope_lines(system: System, version: ArtifactVersion) -> list[ScopeLine]:
    """What the system uses of the report's provider, what does not fit first."""
    components = system.components.select_related("variant__service")
    of_aws = version.artifact.provider_slug == AWS
    lines = [
        line
        for component in components
        if not component.used_until or component.used_until > system.window_start
        for line in (_of_aws if of_aws else _of_others)(component, version)
    ]
    return sorted(lines, key=lambda line: (line.fits, line.name, line.place))


def sites_not_in_use(
    version: ArtifactVersion, sites: Iterable[str], systems: Collection[System]
) -> list[str]:
    """Sites of a report at which none of these systems uses anything of its provider:
    perhaps mistyped. Of no system nothing is known. One statement."""
    used = set()
    for component in SystemComponent.objects.filter(system__in=systems).select_related(
        "variant__service"
    ):
        service = component.variant.service.slug
        slug = provider_slug(component.provided_by or service)
        if slug == version.artifact.provider_slug:
            used |= {place.casefold() for place in component.regions}
            used |= {slug, service}
    return [
        site
        for site in sites
        if systems
        and site != EVERYTHING
        and not {site.casefold(), site.casefold().replace(" ", "-")} & used
    ]


def _of_aws(
    component: SystemComponent, version: ArtifactVersion
) -> Iterator[ScopeLine]:
    service = component.variant.service
    if service.provider != AWS:
        return
    named = names(version.service_slugs, service.slug)
    regions = ("global",) if service.is_global else tuple(component.regions)
    for region in regions or ("not said",):
        if not named:
            code, sentence = "service-out", "Service not in scope"
        elif service.is_global:
            code, sentence = "global", "In scope; global, never a region gap"
        elif not regions:
            code, sentence = "unknown", "Nobody said in which region it runs"
        elif names(version.regions, region):
            code, sentence = "in-scope", "In scope"
        else:
            code, sentence = "region-out", "Region not in scope"
        yield _line(component, service.name, region, code, sentence)


def _of_others(
    component: SystemComponent, version: ArtifactVersion
) -> Iterator[ScopeLine]:
    """Of another provider its sites, or its service by name."""
    slug = provider_slug(component.provided_by or component.variant.service.slug)
    if slug != version.artifact.provider_slug:
        return
    scope = {site.casefold() for site in version.sites}
    for site in component.regions or [""]:
        if "*" in scope or (site and site.casefold() in scope):
            code, sentence = "in-scope", "In scope"
        elif not scope:
            code, sentence = "unknown", "The report names no site"
        elif not site and {name.replace(" ", "-") for name in scope} & {
            slug,
            component.variant.service.slug,
        }:
            code, sentence = "in-scope", "In scope by its name"
        elif not site:
            code, sentence = "unknown", "Nobody said at which site it runs"
        else:
            code, sentence = "site-out", "Site not in scope"
        yield _line(component, str(component), site or "not said", code, sentence)


def _line(
    component: SystemComponent, name: str, place: str, code: str, sentence: str
) -> ScopeLine:
    until = component.used_until
    last = until - ONE_DAY if until else None
    return ScopeLine(name, place, component.used_from, last, code, sentence)
