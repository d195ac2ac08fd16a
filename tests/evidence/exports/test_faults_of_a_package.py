"""Each fault that a package's own script can name is named, by itself (AU-04)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from controls.models import AuditEvent
from controls.models.audit import about
from evidence.exports.package import verify
from evidence.signing.checkpoints import write_checkpoints
from tests.evidence import house as houses
from tests.evidence.exports import packages
from tests.evidence.house import House

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[str], str]


def lines(change: Callable[[list[str]], list[str]]) -> Change:
    return lambda text: "".join(change(text.splitlines(keepends=True)))


def statement(**values: object) -> Change:
    """The checkpoint with other words in what was signed."""

    def change(text: str) -> str:
        sealed = json.loads(text)
        sealed["statement"] = json.dumps(json.loads(sealed["statement"]) | values)
        return json.dumps(sealed)

    return change


LOG, HEAD, POINT = verify.AUDIT_LOG, verify.AUDIT_HEAD, verify.CHECKPOINT
FAULTS: list[tuple[str, Change, str]] = [
    (LOG, lines(lambda all_of: all_of[1:]), f"{LOG}: event 1 does not follow"),
    (
        LOG,
        lines(lambda all_of: [all_of[0], *all_of[2:]]),
        f"{LOG}: event 2 does not follow the one before",
    ),
    (LOG, lines(lambda all_of: all_of[:-1]), f"{LOG}: does not end where head.json"),
    (
        LOG,
        lambda text: text.replace("test.more", "test.less"),
        "was changed",
    ),
    (
        HEAD,
        lambda text: json.dumps(json.loads(text) | {"head": "00" * 32}),
        f"{LOG}: does not end where head.json says",
    ),
    (POINT, statement(written="never"), f"{POINT}: its signature is not of what"),
    (POINT, statement(chain="another"), f"{POINT}: is not of the log in this package"),
    (POINT, statement(size=10**6), f"{POINT}: is not of the log in this package"),
    (POINT, statement(head="00" * 32), f"{POINT}: names another event"),
    (
        verify.MANIFEST,
        lines(lambda all_of: [*all_of, all_of[-1]]),
        "is no line of a manifest",
    ),
    (
        verify.MANIFEST,
        lambda text: text + "something else\n",
        "is no line of a manifest",
    ),
    (
        "bagit.txt",
        lambda text: text.replace("1.0", "0.97"),
        "bagit.txt: is not that of a bag of version 1.0",
    ),
    (
        "bag-info.txt",
        lambda text: text.replace("Payload-Oxum: ", "Payload-Oxum: 1"),
        "bag-info.txt: its Payload-Oxum is not that of the files",
    ),
]


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    return houses.build()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_each_change_of_the_folder_or_the_zip_has_its_sentence(house, tmp_path) -> None:
    write_checkpoints()
    AuditEvent.objects.append(about(house.system, "test.more", by=house.olivia))
    package = packages.saved(house, tmp_path / "p.zip", by=house.olivia)
    folder = packages.unpacked(package, tmp_path / "out")
    assert packages.faults(folder) == []
    for name, change, sentence in FAULTS:
        file = folder / name
        before = file.read_text()
        file.write_text(change(before))
        assert file.read_text() != before, sentence
        found = packages.faults(folder)
        assert any(sentence in fault for fault in found), (sentence, found)
        file.write_text(before)
    assert packages.faults(folder) == []
    top = folder.name
    for name, sentence in (
        (f"{top}/bagit.txt", "bagit.txt: is in the archive twice"),
        ("elsewhere/x", "elsewhere/x: lies outside the folder of the package"),
    ):
        found = packages.faults(with_more(package, name, tmp_path / "more.zip"))
        assert any(fault.startswith(sentence) for fault in found), (sentence, found)


def with_more(package: Path, name: str, target: Path) -> Path:
    """The zip with one more file at its end."""
    target.write_bytes(package.read_bytes())
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(name, "more")
    return target
