"""Sentences of OSCAL documents in our own words, and texts as OSCAL may hold them."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from controls.display_names import layer_name
from controls.service_names import ORGANISATION, component_name, display_names

# Our own properties, as docs/oscal.md lists them.
NAMESPACE = "urn:srm:oscal"
FEDRAMP = "https://fedramp.gov/ns/oscal"
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
Names = Mapping[str, str]


def names_of_components() -> Names:
    """Display names for a reader who is nobody's “you”. One statement."""
    return display_names() | dict.fromkeys(ORGANISATION, "the organisation")


def one_line(text: str) -> str:
    """A text of one line without space around it, as titles and values must be."""
    return " ".join(UNPRINTABLE.sub("", text).split())


def lines(text: str) -> str:
    """A text of any number of lines, without what JSON and XML cannot both hold."""
    return UNPRINTABLE.sub("", text.replace("\r\n", "\n")).strip()


def named_by_digest(sha256: str) -> str:
    """The name of these very bytes, wherever they lie (RFC 6920)."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    return f"ni:///sha-256;{digest}"


def prop(name: str, value: object, *, ns: str = NAMESPACE) -> dict[str, str] | None:
    """A property; None where it has no value. `ns` "" is OSCAL's own."""
    text = one_line(str(value))
    if not text:
        return None
    return {"name": name, "ns": ns, "value": text} if ns else {
        "name": name, "value": text}  # fmt: skip


def duties(basis: Iterable[Mapping[str, Any]], names: Names) -> str:
    """What the customer's rows of a basis ask of us: a line for each layer and kind.

    `- Guest operating system of Amazon EC2 (provided): patch the guest`
    """
    layers: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for row in basis:
        if row["party"] == "customer":
            of, tasks = layers.setdefault((row["layer"], row["kind"]), ({}, {}))
            of[component_name(names, row["component"], row["variant"])] = None
            if row.get("duty"):
                tasks[row["duty"]] = None
    return "\n".join(
        f"- {layer_name(layer)} of {_and(of)} ({kind})"
        + (f": {'; '.join(tasks)}" if tasks else "")
        for (layer, kind), (of, tasks) in layers.items()
    )


def layers_run(
    needs: Iterable[Any], names: Names, *, only: Collection[str] | None
) -> str:
    """What a provider runs, of `only` these layers, None for all: `Facilities of
    Amazon EC2 and Amazon S3; Host ...`."""
    layers: dict[str, dict[str, None]] = {}
    for need in needs:
        for layer in need.layers:
            if only is not None and layer not in only:
                continue
            layers.setdefault(layer, {})[component_name(names, need.slug)] = None
    return "; ".join(f"{layer_name(layer)} of {_and(of)}" for layer, of in
                     layers.items())  # fmt: skip


def _and(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
