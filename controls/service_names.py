"""The variant of a service that somebody means by a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from controls.errors import Refused
from controls.models import ServiceVariant


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
    """The variants that the words mean, with their layers. One or three statements.

    Raises Refused at `field`, naming the first unknown word and the nearest ones.
    """
    words = [text.strip().lower() for text in texts if text.strip()]
    if not words:
        return []
    known = by_name(
        ServiceVariant.objects.select_related("service").prefetch_related("layers")
    )
    for text in words:
        if text not in known:
            near = nearest(text, known)
            hint = f" Nearest: {', '.join(near)}." if near else ""
            raise Refused({field: f"There is no service “{text[:60]}”.{hint}"})
    return list({known[text].pk: known[text] for text in words}.values())
