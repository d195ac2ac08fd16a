"""Ids of controls as people type them into one field."""

import pytest

from controls.control_ids import typed_ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        ("mp-6, ac-2", ["mp-6", "ac-2"]),
        ("AC-2(1), mp 6", ["ac-2.1", "mp-6"]),
        ("AC-2 (1) MP-6", ["ac-2.1", "mp-6"]),
        ("AC-02(01)\nAC-2(1); ac-2.1", ["ac-2.1"]),
        ("AC-2 and more", ["ac-2", "and", "more"]),
    ],
)
def test_each_way_of_writing_is_the_same_control(text: str, ids: list[str]) -> None:
    assert typed_ids(text) == ids
