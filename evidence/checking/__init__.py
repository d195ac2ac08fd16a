"""Is a file what its name says, and can it do anything by itself?

Source: UP-03, UP-04, UP-08, UP-09 and UP-11 of the requirements.
"""

from evidence.checking.files import Checked, check
from evidence.checking.kinds import ALLOWED, FLAGS

__all__ = ["ALLOWED", "FLAGS", "Checked", "check"]
