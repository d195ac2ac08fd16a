"""How facts and answers are declared: values that nobody changes, made by the thousand.

A dataclass that is frozen when it runs sets each field through `object.__setattr__`:
making one takes ten to fifteen times as long, and half of the time that the facts of a
large system took went there. So it is the type checker that refuses an assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Declared = TypeVar("Declared")


@dataclass_transform(frozen_default=True)
def value(cls: type[Declared]) -> type[Declared]:
    """The class as a dataclass with slots, equal and hashed by its fields."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
