"""Which baseline goes with a regime and a level, until somebody chooses another."""

from __future__ import annotations

from controls.models.systems import ImpactLevel, Regime


def proposed_baseline(regime: str, level: str) -> str:
    """The slug of the baseline for a regime and an impact level; empty for neither.

    FedRAMP has its own selections; whoever is audited under another regime begins with
    NIST's of the same level (SP 800-53B), which has none for LI-SaaS: its low one.
    """
    if regime not in Regime.values or level not in ImpactLevel.values:
        return ""
    if regime == Regime.FEDRAMP:
        return f"fedramp-{level}"
    return f"nist-{ImpactLevel.LOW if level == ImpactLevel.LI_SAAS else level}"
