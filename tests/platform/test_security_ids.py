"""The list of security requirements names, for each, a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROW = re.compile(r"^\| ([A-Z]{2}-\d{2}) \| [^|]+ \| ([^|]+) \|$", re.M)
PROOF = dict(ROW.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
LAST = {"UP": 14, "AC": 11, "AU": 12, "AZ": 12, "IN": 7, "RE": 17}
NOT_BUILT = "not built yet"
# Controls of NIST have ids of the same form, so tests name them for other reasons.
ALSO_CONTROLS = ("AC", "AU")


def names(path: Path, requirement: str) -> bool:
    """Whether a file names a requirement."""
    return bool(re.search(rf"\b{requirement}\b", path.read_text(encoding="utf-8")))


def test_every_requirement_is_listed_once() -> None:
    expected = [
        f"{kind}-{number:02}"
        for kind, last in LAST.items()
        for number in range(1, last + 1)
    ]
    assert list(PROOF) == expected


@pytest.mark.parametrize("requirement", PROOF)
def test_its_test_names_it_or_no_test_does(requirement: str) -> None:
    proof = PROOF[requirement].strip("`")
    if proof != NOT_BUILT:
        assert names(ROOT / proof, requirement), f"{proof} does not name {requirement}."
        return
    if requirement.startswith(ALSO_CONTROLS):
        return
    tests = [
        path
        for path in ROOT.glob("tests/**/test_*.py")
        if path.name != "test_security_ids.py"
    ]
    naming = [str(path) for path in tests if names(path, requirement)]
    assert naming == [], f"docs/security.md calls {requirement} not built yet."
