"""Facts that no table of the product says yet, and what they are judged as. Pure."""

from dataclasses import dataclass
from typing import Any

from evidence.status.facts import ArtifactVersionFacts, ControlFacts


@dataclass(frozen=True, slots=True)
class NotGathered:
    """A field that no table of the product speaks of yet.

    `value` is what every control is judged by until then, `source` what will say it.
    """

    facts: type
    name: str
    value: Any
    source: str


NOT_GATHERED = (
    NotGathered(
        ArtifactVersionFacts,
        "exceptions_open",
        0,
        "exceptions of a report by control, with our response and its acceptance",
    ),
    NotGathered(
        ArtifactVersionFacts,
        "exceptions_answered",
        0,
        "exceptions of a report by control, with our response and its acceptance",
    ),
    NotGathered(ControlFacts, "open_findings", 0, "findings and what became of them"),
    NotGathered(
        ControlFacts, "contradicted", 0, "observations that fail, with dispositions"
    ),
    NotGathered(
        ControlFacts, "cuec_open", 0, "complementary user entity controls of reports"
    ),
)


def not_gathered(facts: type) -> dict[str, Any]:
    """The values of the fields of a kind of facts that nothing supplies yet."""
    return {row.name: row.value for row in NOT_GATHERED if row.facts is facts}
