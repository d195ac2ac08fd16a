"""Is proof of a control current on a day? The specification, free of Django."""

from evidence.judged import (
    ApplicabilityFacts,
    ArtifactVersionFacts,
    AwsFacts,
    ControlFacts,
    LetterFacts,
    LinkFacts,
    NeededService,
    PopulationFacts,
    RequirementFacts,
)

__all__ = [
    "ApplicabilityFacts",
    "ArtifactVersionFacts",
    "AwsFacts",
    "ControlFacts",
    "LetterFacts",
    "LinkFacts",
    "NeededService",
    "PopulationFacts",
    "RequirementFacts",
]
