"""Is a file what its name says, and can it do anything by itself?

Source: UP-03, UP-04, UP-08, UP-09 and UP-11 of the requirements.
"""

from evidence.files.checks.boundary import check
from evidence.files.checks.kinds import ALLOWED, Checked

__all__ = ["ALLOWED", "Checked", "check"]
