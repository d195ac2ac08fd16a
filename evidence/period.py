"""Does proof of a control hold over a window? The specification, free of Django."""

from evidence.judged import PeriodFacts, RequirementHistory

__all__ = ["PeriodFacts", "RequirementHistory"]
