"""What using a service means: who runs what of it, in one sentence. Pure.

Told from the layers of its default variant, so it says what the classes are derived
from, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

YOURS = "access, settings and data are yours"


@dataclass(frozen=True)
class LayerSaid:
    """Who runs one layer (a `PartyChoice`), and what of it is the customer's."""

    party: str
    duty: str = ""


def meaning_of(
    layers: Mapping[str, LayerSaid],
    *,
    provider: str,
    is_global: bool = False,
    variants: int = 1,
) -> str:
    """The sentence beside a service that is ticked."""
    sentences = [_who_runs(layers, provider)]
    if variants > 1:
        sentences.append("How you use it says what is yours.")
    if is_global:
        sentences.append("It counts in all regions.")
    return " ".join(sentences)


def _who_runs(layers: Mapping[str, LayerSaid], provider: str) -> str:
    if provider == "third-party":
        theirs = "Another provider's: proven by a report of its own"
        ours = _duties(layers, "both", "customer", "all")
        return f"{theirs}; you {ours}." if ours else f"{theirs}."
    if provider == "customer":
        ours = _duties(layers, "customer")
        return f"Yours alone: you {ours}." if ours else "Yours alone."
    guest, platform = layers.get("guest-os"), layers.get("platform")
    if guest and guest.party == "customer":
        firewall = layers.get("firewall")
        more = " and set the firewall" if firewall and firewall.party != "aws" else ""
        return (
            f"You {guest.duty or 'patch the guest operating system'}{more};"
            f" AWS runs the host and below."
        )
    if guest and guest.party == "both":
        return f"AWS runs the host; you {guest.duty}; {YOURS}."
    runs = "the operating system" if guest else "the service"
    if platform and platform.party == "both" and platform.duty:
        return f"AWS runs {runs}; you {platform.duty}; {YOURS}."
    if guest and platform and platform.party == "aws":
        return f"AWS runs operating system and platform; {YOURS}."
    return f"AWS runs {runs}; {YOURS}."


def _duties(layers: Mapping[str, LayerSaid], *parties: str) -> str:
    duties = [row.duty for _, row in sorted(layers.items()) if row.party in parties]
    return "; ".join(dict.fromkeys(duty for duty in duties if duty))
