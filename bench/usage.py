"""What this process and those that it started and waited for have used."""

from __future__ import annotations

import resource

OURS = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def processor_used() -> float:
    """Seconds of processor, of all together."""
    every = [resource.getrusage(whose) for whose in OURS]
    return sum(used.ru_utime + used.ru_stime for used in every)


def largest_memory() -> float:
    """Megabytes that the largest of them held at most."""
    return max(resource.getrusage(whose).ru_maxrss for whose in OURS) / 1024
