"""Facts that no table of the product says yet, and what they are judged as. Pure."""

from typing import Any

from evidence.status.values import value


@value
class NotGathered:
    """A field that no table of the product speaks of yet.

    `value` is what every control is judged by until then, `source` what will say it.
    """

    facts: type
    name: str
    value: Any
    source: str


NOT_GATHERED: tuple[NotGathered, ...] = ()


def not_gathered(facts: type) -> dict[str, Any]:
    """The values of the fields of a kind of facts that nothing supplies yet."""
    return {row.name: row.value for row in NOT_GATHERED if row.facts is facts}
