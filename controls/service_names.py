"""What people call services: names to show, and the variant that a word means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from controls.errors import Refused
from controls.models import ServiceVariant

# The component that every system has (`derive.organisation`) is in no table.
ORGANISATION = {"organisation": "your organisation"}


def display_names() -> dict[str, str]:
    """The name of every service by its slug, of every variant by `service:variant`.

    One statement; a page asks once and hands the names on.
    """
    names = dict(ORGANISATION)
    rows = ServiceVariant.objects.values_list(
        "service__slug", "service__name", "slug", "name"
    )
    for service, service_name, variant, variant_name in rows:
        names[service] = service_name
        names[f"{service}:{variant}"] = _listed_name(service_name, variant_name)
    return names


def _listed_name(service: str, variant: str) -> str:
    """A name without a comma, to stand in lists: `AWS Batch (on Fargate)`."""
    rest = variant.removeprefix(service).removeprefix(",").strip()
    return f"{service} ({rest})" if rest and rest != service else service


def component_name(names: Mapping[str, str], service: str, variant: str = "") -> str:
    """What to call a component; its slug where nobody knows it any more."""
    return names.get(f"{service}:{variant}") or names.get(service, service)


def variant_label(variant: ServiceVariant) -> str:
    """The variant's name, with the service before it where it does not say that."""
    return _full_name(variant.service.name, variant.name)


def _full_name(service: str, variant: str) -> str:
    return variant if variant.startswith(service) else f"{service}: {variant}"


def names_of(variant: ServiceVariant) -> list[str]:
    """What people say for a variant: slug, aliases, each with and without variant."""
    spoken = [variant.service.slug, *variant.service.aliases]
    names = [f"{name}:{variant.slug}" for name in spoken]
    return names + spoken if variant.is_default else names


def by_name(variants: Iterable[ServiceVariant]) -> dict[str, ServiceVariant]:
    """Every name of each variant; names are lower case."""
    return {name: variant for variant in variants for name in names_of(variant)}


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """At most three known names that look like the text, the best first."""
    return difflib.get_close_matches(text.lower(), list(known), n=3, cutoff=0.4)


def named(texts: Iterable[str], *, field: str) -> list[ServiceVariant]:
    """The variants that the words mean, each once, with their layers. One or three
    statements.

    Raises Refused at `field`, naming the first unknown word and the nearest ones.
    """
    words = [text for text in texts if text.strip()]
    if not words:
        return []
    return list({row.pk: row for row in named_each(words, field=field)}.values())


def named_each(texts: Iterable[str], *, field: str) -> list[ServiceVariant]:
    """The variant that each of the words means, in their order; the rest as `named`."""
    words = [text.strip().lower() for text in texts]
    known = by_name(
        ServiceVariant.objects.select_related("service").prefetch_related("layers")
    )
    for text in words:
        if text not in known:
            near = nearest(text, known)
            hint = f" Nearest: {', '.join(near)}." if near else ""
            raise Refused({field: f"There is no service “{text[:60]}”.{hint}"})
    return [known[text] for text in words]
