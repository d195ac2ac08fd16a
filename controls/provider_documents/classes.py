"""How providers write who answers for a control, and the class that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

CLASSES = {
    "inherited": "inherited",
    "fully inherited": "inherited",
    "fully inheritable": "inherited",
    "provider": "inherited",
    "provider inherited": "inherited",
    "service provider": "inherited",
    "csp": "inherited",
    "csp-owned": "inherited",
    "csp owned": "inherited",
    "tpsp": "inherited",
    "aws": "inherited",
    "yes": "inherited",
    "service provider corporate": "inherited",
    "service provider system specific": "inherited",
    "service provider hybrid": "inherited",
    "inherited from pre-existing authorization": "inherited",
    "shared": "shared",
    "hybrid": "shared",
    "partial": "shared",
    "partially": "shared",
    "partially inherited": "shared",
    "partially inheritable": "shared",
    "shared csp and csc": "shared",
    "customer": "customer",
    "customer responsibility": "customer",
    "customer specific": "customer",
    "configured by customer": "customer",
    "provided by customer": "customer",
    "csc-owned": "customer",
    "csc owned": "customer",
    "entity": "customer",
    "not inherited": "customer",
    "not inheritable": "customer",
    "no": "customer",
}
# “(Service Provider and Customer Responsibility)” only explains what stands before it
EXPLAINED = re.compile(r"\s*\([^()]*\)\s*$")
# “Inherited from AWS GovCloud”, “Google Inherited”, “Fully inherited (AWS)”
INHERITED_FROM = re.compile(r"(?:fully )?inherited from .+")
INHERITED_BY_NAME = re.compile(r"(?!not|non|un|partial|part)\w+[ -]inherited")
# Words that take something back: such a cell is for a person to read, never inherited
QUALIFIED = re.compile(r"\b(?:except|partial|partly|customer|unless|only|not|no|but)\b")
# What stands in a column of marks; anything else there is no mark.
MARKS = frozenset({"x", "✓", "✔", "☒", "☑", "yes", "y", "true", "1"})


def words_of(text: str) -> str:
    """A cell without capitals, double spaces and a stop at its end."""
    return " ".join(text.lower().split()).rstrip(" .")


def class_of(text: str) -> str | None:
    """The class that a cell means; None where it cannot be told."""
    words = words_of(text)
    if words in CLASSES:
        return CLASSES[words]
    named = EXPLAINED.sub("", words)
    responsibility = CLASSES.get(named)
    if INHERITED_FROM.fullmatch(named) or INHERITED_BY_NAME.fullmatch(named):
        responsibility = "inherited"
    if responsibility == "inherited" and QUALIFIED.search(words):
        return None
    return responsibility


def union_of(classes: Iterable[str]) -> str:
    """The class of what has parts of these classes (R5); not for an empty list."""
    distinct = set(classes)
    return distinct.pop() if len(distinct) == 1 else "shared"
