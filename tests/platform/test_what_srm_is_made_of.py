"""RE-16: what is installed is pinned by digest, and listed for whoever has to know.

`make audit` asks pypi.org for known weaknesses of the same pins; tests ask no network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PIN = re.compile(r"^([\w.\-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.M)


def entries_of(name: str) -> list[str]:
    """The requirements of a file, each as one line."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


FILES = {
    "requirements.txt": 50,
    "requirements-dev.txt": 100,
    "requirements-saml.txt": 3,
}


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_one_version_with_the_digests_of_its_files(name: str):
    entries = entries_of(name)
    assert len(entries) > FILES[name]
    for entry in entries:
        assert PIN.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_what_saml_needs_besides_goes_with_all_the_rest():
    """The same lxml everywhere: it and xmlsec have to share one libxml2."""
    pins = {name: dict(PIN.findall((ROOT / name).read_text())) for name in FILES}
    besides = pins["requirements-saml.txt"]
    assert set(besides) - set(pins["requirements.txt"]) == {
        *("isodate", "python3-saml", "xmlsec"),
    }
    for name, version in besides.items():
        assert pins["requirements-dev.txt"][name] == version
        assert pins["requirements.txt"].get(name, version) == version


def test_pip_demands_the_digests_and_the_list_and_the_audit_are_commands():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("--require-hashes -r requirements") == 2
    assert "\nsbom:" in makefile and "\naudit:" in makefile


def listed() -> dict[str, Any]:
    """What `make sbom` prints."""
    command = [sys.executable, "-W", "error", str(ROOT / ".ci" / "sbom")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(printed.stdout)
    return document


def test_the_list_names_each_pinned_package_with_its_digests_and_licence():
    document = listed()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(PIN.findall(text))
    named = {row["name"]: row for row in document["components"]}
    assert {name: row["version"] for name, row in named.items()} == pins
    django = named["django"]
    assert django["purl"] == f"pkg:pypi/django@{pins['django']}"
    assert "BSD" in json.dumps(django["licenses"])
    (entry,) = [e for e in entries_of("requirements.txt") if e.startswith("django==")]
    (files,) = [ref["hashes"] for ref in django["externalReferences"]]
    assert {row["content"] for row in files} == set(
        re.findall(r"--hash=sha256:(\w+)", entry)
    )
    again = listed()
    for one in (document, again):
        del one["metadata"]["timestamp"]
    assert document == again
