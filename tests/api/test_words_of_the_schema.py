"""The API's description is made of sentences, not of codes that repeat themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

SCHEMA = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
CHOICE = re.compile(r"^\* `([^`]*)` - ?(.*)$", re.MULTILINE)
BEGINS = re.compile(r'[A-Z`“"*0-9]')
# What the library writes of an answer without a body.
THEIRS = {"No response body"}


def descriptions(part: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every description with its place; names of schemas are no sentences."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "description" and isinstance(value, str):
                yield where, value.strip()
            else:
                yield from descriptions(value, f"{where}/{name}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from descriptions(value, f"{where}/{number}")


def test_each_description_is_a_sentence_and_each_choice_says_something() -> None:
    wrong = []
    for where, text in descriptions(yaml.safe_load(SCHEMA.read_text())):
        sentence = CHOICE.sub("", text).strip()
        whole = BEGINS.match(sentence) and sentence.endswith((".", ":", ")"))
        if sentence and sentence not in THEIRS and not whole:
            wrong.append(f"{where}: {sentence}")
        for code, word in CHOICE.findall(text):
            if not word or word == code:
                wrong.append(f"{where}: the choice “{code}” says nothing")
    assert not wrong, "\n".join(sorted(set(wrong)))
