"""Bytes that somebody sent are read by processes that can do little else.

The server of readers is made of this package too, and whatever it has loaded makes each
of its forks slower: the side of those who ask is loaded when it is named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controls.confined.readers import (
        Heavy,
        Reader,
        ReadersAway,
        readers_without_network,
    )

__all__ = ["Heavy", "Reader", "ReadersAway", "readers_without_network"]


def __getattr__(name: str) -> Any:
    """One of `__all__`, of the side of those who ask."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module("controls.confined.readers"), name)
