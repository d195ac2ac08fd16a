"""AU-09, AU-10: a package of evidence verifies offline; one changed bit is named.

One file: making a package takes seconds, and all that is said of it is of that one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote

import hypothesis
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, strategies

from controls.models import AuditEvent
from controls.models.audit import about
from evidence.exports.package import verify
from evidence.files.download import record_opening
from evidence.models import (
    Blob,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    ItemResponse,
    ResponseDecision,
)
from evidence.signing.keys import in_groups, rotate, signing_key
from evidence.status import gather_sql
from evidence.storage import open_store
from evidence.tasks import write_checkpoints
from tests import factories
from tests.evidence.exports import everything, packages
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    built = everything.build(settings, tmp_path / "store")
    everything.with_population(built)
    return built


def listed(folder: Path, name: str) -> list[dict[str, str]]:
    text = (folder / "data" / name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_its_own_script_verifies_the_zip_and_the_folder(house, tmp_path) -> None:
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    for arguments in ([], [package], [folder]):
        code, said = packages.verified(folder / "verify.py", *arguments)
        assert (code, said.splitlines()[-1]) == (
            0, "OK: every file is as it was signed.",
        )  # fmt: skip
        assert "NOT checked: whose key that is" in said
    fingerprint = signing_key().public.fingerprint
    code, said = packages.verified(folder / "verify.py", "--key", fingerprint)
    assert code == 0
    assert "whose key" not in said
    code, said = packages.verified(folder / "verify.py", "--key", "0" * 64)
    assert code == 1
    assert "signing-key.pem: is another key than the one you named" in said


def test_the_commands_of_its_guide_do_what_it_says(house, tmp_path) -> None:
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    guide = (folder / "VERIFY.md").read_text()
    commands = [line.strip() for line in guide.splitlines() if line[:4] == "    "]
    fingerprint = signing_key().public.fingerprint
    assert commands.pop(0) == fingerprint
    for command, expected in zip(
        commands,
        ["OK: every", "", *["Signature Verified Successfully"] * 2, fingerprint],
        strict=True,
    ):
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
        assert expected or not done.stdout


def test_it_holds_files_by_control_lists_exports_and_the_chain(house, tmp_path) -> None:
    package = packages.saved(house, tmp_path / "p.zip", by=house.olivia)
    folder = packages.unpacked(package, tmp_path / "out")
    rows = [row for row in listed(folder, "index.csv") if row["file"]]
    assert {row["state"] for row in rows} >= {"submitted", "rejected"}
    for row in rows:
        assert row["file"].startswith("data/evidence/")
        digest = verify.hashlib.sha256((folder / row["file"]).read_bytes())
        assert digest.hexdigest() == row["sha256"]
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    label = link.implementation.control.label
    page = (folder / "data" / "controls" / f"{label}.html").read_text()
    assert "report.txt</a>" in page
    assert "<script" not in page
    assert "http" not in page
    exports = {path.name for path in (folder / "data" / "exports").iterdir()}
    assert exports == {
        "control-status.csv",
        "control-status.xlsx",
        "status-report.pdf",
        "oscal-system-security-plan.json",
        "oscal-component-definition.json",
        "oscal-assessment-results.json",
        "oscal-plan-of-action-and-milestones.json",
        "fedramp-cis-crm.xlsx",
        "responsibility-matrix.csv",
        "responsibility-matrix.xlsx",
    }
    assert [row["Item"] for row in listed(folder, "populations.csv")] == ["CHG-2"]
    events = (folder / "data" / "audit" / "log.jsonl").read_text().splitlines()
    head = json.loads((folder / "data" / "audit" / "head.json").read_text())
    assert head["size"] == len(events) > 3
    assert all(json.loads(line)["body"] for line in events)
    for path in (folder / "data").rglob("*.html"):
        text = path.read_text()
        for target in text.split('href="')[1:]:
            name = unquote(target.split('"')[0])
            assert (path.parent / name).exists(), (path, name)


def blob_path(house: House, file: EvidenceFile) -> Path:
    return open_store().path_of(file.blob.sha256)


def first_file(house: House) -> EvidenceFile:
    return EvidenceFile.objects.filter(revision__evidence__system=house.system)[0]


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_file_that_is_not_as_uploaded_fails_it_by_name(
    house, tmp_path, harm, capsys
) -> None:
    """All or nothing: neither page nor command leaves a file."""
    file = first_file(house)
    path = blob_path(house, file)
    if harm == "missing":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    export = packages.requested(house)
    assert (export.state, export.file_name) == ("failed", "")
    assert f"“{file.name}”" in export.failure
    assert file.blob.sha256 in export.failure
    assert not list((tmp_path / "store" / "exports").glob(f"{export.uuid}*"))
    target = tmp_path / "by-command.zip"
    with pytest.raises(CommandError, match=file.blob.sha256):
        call_command("export", "shop", "package", "--output", str(target))
    assert not target.exists()


def test_what_the_reader_may_not_open_is_named_and_left_out(house, tmp_path) -> None:
    """AC-03: bodies of events about what they do not see are withheld as well."""
    file = first_file(house)
    Evidence.objects.filter(pk=file.revision.evidence_id).update(
        sensitivity="restricted"
    )
    folder = packages.unpacked(
        packages.saved(house, tmp_path / "a.zip"), tmp_path / "a"
    )
    (row,) = [r for r in listed(folder, "index.csv") if r["sha256"] == file.blob.sha256]
    assert (row["file"], row["withheld"]) == (
        "", "Withheld: the evidence is restricted.",
    )  # fmt: skip
    assert file.blob.sha256 in (folder / "data" / "index.html").read_text()
    assert not list((folder / "data").rglob(f"{file.blob.sha256[:12]}-*"))
    officers = packages.saved(house, tmp_path / "b.zip", by=house.olivia)
    folder = packages.unpacked(officers, tmp_path / "b")
    assert list((folder / "data").rglob(f"{file.blob.sha256[:12]}-*"))


def test_a_contributor_gets_the_chain_without_what_other_teams_wrote(
    house, tmp_path
) -> None:
    record_opening(first_file(house), "evidence.downloaded", by=house.olivia)
    package = packages.saved(house, tmp_path / "p.zip", by=house.bob)
    folder = packages.unpacked(package, tmp_path / "out")
    assert {r["withheld"] for r in listed(folder, "index.csv")} == {
        "Not for you: it belongs to a team you are not in."
    }
    lines = (folder / "data" / "audit" / "log.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    (opened,) = [event for event in events if event["verb"] == "evidence.downloaded"]
    assert opened["body"] is None
    assert [e["verb"] for e in events if e["body"] is None] == ["evidence.downloaded"]
    code, said = packages.verified(folder / "verify.py")
    assert code == 0
    assert "bodies of audit events: withheld" in said


def test_names_are_safe_on_every_disk(house, tmp_path) -> None:
    """Equal but for case, Arabic, 200 bytes, a path: each is there, none outside."""
    names = [
        "Report.PDF", "report.pdf", "../../etc/passwd", "تقرير.pdf", "CON.txt",
        "x" * 196 + ".csv", "%0A.txt", "-rf", ".profile", "a\\b:c?.txt",
    ]  # fmt: skip
    digests = with_files(house, names)
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    paths = {r["sha256"]: r["file"] for r in listed(folder, "index.csv")}
    assert set(digests) <= set(paths)
    members = zipfile.ZipFile(package).namelist()
    assert len({name.casefold() for name in members}) == len(members)
    for name in members:
        assert ".." not in Path(name).parts
        assert not set(name) & set('\\:*?"<>|%\r\n')
        last = name.rsplit("/", 1)[-1]
        assert len(last.encode()) <= 120
        assert not last.startswith((".", "-"))
    assert packages.verified(folder / "verify.py")[0] == 0
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], cwd=folder
    )
    assert done.returncode == 0


def with_files(house: House, names: list[str]) -> list[str]:
    """Give the newest accepted evidence files of these names; their digests."""
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    kept = [
        open_store().put([f"{number} {name}".encode()], limit=1_000)
        for number, name in enumerate(names)
    ]
    blobs = Blob.objects.bulk_create(
        Blob(sha256=one.sha256, size_bytes=one.size_bytes, media_type="text/plain")
        for one in kept
    )
    EvidenceFile.objects.bulk_create(
        EvidenceFile(revision=link.revision, blob=blob, name=name, position=position)
        for position, (blob, name) in enumerate(zip(blobs, names, strict=True), start=2)
    )
    return [one.sha256 for one in kept]


def test_three_thousand_files_are_each_there_once(house, tmp_path) -> None:
    digests = with_files(house, [f"{number}.txt" for number in range(3_000)])
    package = packages.saved(house, tmp_path / "p.zip")
    assert packages.faults(package) == []
    names = [Path(name).name for name in zipfile.ZipFile(package).namelist()]
    beginnings = {digest[:12] for digest in digests}
    assert len([name for name in names if name[:12] in beginnings]) == 3_000


def test_one_flipped_bit_is_named_wherever_it_is(house, tmp_path) -> None:
    """In any file, any name, and in whatever lies between them."""
    package = packages.saved(house, tmp_path / "p.zip")
    good = package.read_bytes()
    archive = zipfile.ZipFile(package)
    places = {}
    for member in archive.infolist():
        begins = member.header_offset + 30 + len(member.filename.encode())
        name = member.filename.partition("/")[2]
        places[name] = range(begins, begins + member.compress_size)
    harmed = tmp_path / "harmed.zip"

    @hypothesis.settings(
        max_examples=150, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(
        name=strategies.sampled_from([*sorted(places), ""]),
        fraction=strategies.floats(0, 1, exclude_max=True),
        bit=strategies.integers(0, 7),
    )
    def flip(name: str, fraction: float, bit: int) -> None:
        where = places.get(name, range(len(good)))
        at = where[int(fraction * len(where))]
        data = bytearray(good)
        data[at] ^= 1 << bit
        harmed.write_bytes(data)
        found = packages.faults(harmed)
        assert found
        assert not name or any(name in fault for fault in found), (name, found)

    flip()
    for at in range(places["verify.py"].stop, places["verify.py"].stop + 16):
        data = bytearray(good)
        data[at] ^= 1
        harmed.write_bytes(data)
        assert "verify.py" in packages.faults(harmed)[0]
    for at in range(len(good) - 600, len(good)):
        data = bytearray(good)
        data[at] ^= 4
        harmed.write_bytes(data)
        assert packages.faults(harmed), at
    for cut in (good[:-1], good + b"x", b"x" + good, good[: len(good) // 2], b""):
        harmed.write_bytes(cut)
        assert packages.faults(harmed)


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        ("rename", "data/index.csv: is missing"),
        ("add", "data/more.txt: is not listed"),
        ("remove", "data/index.csv: is missing"),
        ("change", "data/index.csv: is not what manifest-sha256.txt says"),
        ("link", "data/index.csv: is a link"),
        ("sign", "manifest-sha256.txt.sig: is no signature"),
        ("guide", "VERIFY.md: is not what tagmanifest-sha256.txt says"),
    ],
)
def test_whatever_happens_to_the_folder_is_named(house, tmp_path, act, fault) -> None:
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    index = folder / "data" / "index.csv"
    if act == "rename":
        index.rename(index.with_name("index2.csv"))
    elif act == "add":
        (folder / "data" / "more.txt").write_text("more")
    elif act == "remove":
        index.unlink()
    elif act == "change":
        index.write_bytes(index.read_bytes() + b" ")
    elif act == "link":
        index.rename(tmp_path / "elsewhere")
        index.symlink_to(tmp_path / "elsewhere")
    elif act == "sign":  # whoever changes a file and its digest cannot sign
        index.write_bytes(b"forged")
        manifest = folder / "manifest-sha256.txt"
        lines = manifest.read_text().splitlines(keepends=True)
        digest = verify.hashlib.sha256(b"forged").hexdigest()
        manifest.write_text(
            "".join(
                f"{digest}  data/index.csv\n" if "  data/index.csv" in line else line
                for line in lines
            )
        )
    else:
        (folder / "VERIFY.md").write_text("All is well.")
    code, said = packages.verified(folder / "verify.py")
    assert code == 1
    assert f"FAULT: {fault}" in said
    with pytest.raises(SystemExit) as ended:
        call_command("verify_package", str(folder))
    assert ended.value.code == 1


def test_a_zip_packed_anew_says_so_and_its_folder_verifies(house, tmp_path) -> None:
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    checked, unchecked, found = verify.verify(again)
    assert (checked, unchecked) == ([], ["what the files in it hold"])
    assert all("unpack it and verify the folder" in fault for fault in found)
    assert len(found) == 2  # the first file, and that the second begins elsewhere
    assert packages.faults(folder) == []


def test_after_two_rotations_an_old_package_verifies_by_its_own_key(
    house, tmp_path, capsys
) -> None:
    before = signing_key().public.fingerprint
    package = packages.saved(house, tmp_path / "p.zip")
    rotate()
    rotate()
    call_command("verify_package", str(package), "--key", before)
    assert "OK: every file is as it was signed." in capsys.readouterr().out
    newer = packages.saved(house, tmp_path / "q.zip")
    assert packages.faults(newer) == []
    assert verify.verify(newer, before)[2]


def test_the_checkpoint_in_it_holds_the_chain(house, tmp_path, owner_dsn) -> None:
    """A log that contradicts its checkpoint goes into no package (AU-04)."""
    write_checkpoints()
    AuditEvent.objects.append(about(house.system, "test.more", by=house.olivia))
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    code, said = packages.verified(folder / "verify.py")
    assert code == 0
    assert "events by the checkpoint of 2026-11-23" in said
    assert "which signed the checkpoint" not in said
    log = folder / verify.AUDIT_LOG
    log.write_text(log.read_text().replace('"verb": "test.more"', '"verb": "test.no"'))
    said = packages.verified(folder / "verify.py")[1]
    assert "is not what its body says" in said
    rotate()
    newer = packages.saved(house, tmp_path / "q.zip")
    _, unchecked, found = verify.verify(newer)
    assert found == []
    assert any("which signed the checkpoint" in line for line in unchecked)
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "DELETE FROM controls_auditevent WHERE chain = %s AND seq > 2",
            [str(house.system.uuid)],
        )
    export = packages.requested(house)
    assert export.state == "failed"
    assert "the audit log is damaged: the tail was cut" in export.failure


def test_nothing_at_the_path_is_wrong_use(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("verify_package", "/no/such/file")
    assert ended.value.code == 2


def test_the_page_offers_it_and_shows_whose_key_it_is(house, client) -> None:
    client.force_login(house.ray)
    page = client.get("/exports/").content.decode()
    assert "Evidence package: files, lists, exports and audit log, signed" in page
    assert in_groups(signing_key().public.fingerprint) in page
    assert "python3 verify.py" in page


def test_it_holds_what_was_said_to_items_of_the_window(house, tmp_path) -> None:
    """R36: with the second person's word on it; a refused one as well."""
    for kind, decision in (("missed", "accept"), ("late", "reject"), ("open", "")):
        response = ItemResponse.objects.create(
            system=house.system,
            implementation=factories.implementation(house.system, "cm-8"),
            responded_by=house.olivia,
            responder_name="Olivia",
            kind=kind,
            key=kind,
            title="List of components",
            starts=TODAY - 40 * DAY,
            ends=TODAY - 10 * DAY,
            cause="The scanner was down.",
            effect="None.",
            measures="Scanned anew.",
            owner="Platform",
            responded_on=TODAY,
        )
        if decision:
            ResponseDecision.objects.create(
                response=response,
                system=house.system,
                reviewer=house.rita,
                responded_by=house.olivia,
                reviewer_name="Rita",
                decision=decision,
                reason="Show the scan.",
                decided_on=TODAY,
            )
    folder = packages.unpacked(
        packages.saved(house, tmp_path / "p.zip"), tmp_path / "o"
    )
    rows = listed(folder, "responses.csv")
    written = [r for r in rows if r["State"] != "not answered"]
    assert {(r["Item"], r["State"], r["Decided by"]) for r in written} == {
        ("Missed", "accepted", "Rita"),
        ("Late", "rejected", "Rita"),
        ("No report covers these days", "waits for a decision", ""),
    }
    assert {r["Cause"] for r in written} == {"The scanner was down."}
    assert {r["Not answered"] for r in rows if r not in written} == {"Not answered."}


def test_without_a_finding_it_says_why_there_is_no_plan_of_action(
    house, tmp_path, owner_dsn
) -> None:
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("DELETE FROM evidence_finding")
    package = packages.saved(house, tmp_path / "p.zip")
    folder = packages.unpacked(package, tmp_path / "out")
    name = "oscal-plan-of-action-and-milestones.json"
    assert not (folder / "data" / "exports" / name).exists()
    assert (
        f"{name}: not written. No finding"
        in (folder / "data" / "index.html").read_text()
    )
    assert packages.faults(folder) == []


def test_the_system_is_judged_once_for_all_that_is_in_it(house, tmp_path) -> None:
    """However many formats there are: what asks a status reads runs for one of them."""
    with CaptureQueriesContext(connection) as queries:
        packages.saved(house, tmp_path / "p.zip")
    asks = gather_sql.render(gather_sql.REQUIREMENTS, as_known_then=True)
    begins = " ".join(asks.split("%(", 1)[0].split())
    run = [" ".join(query["sql"].split()) for query in queries.captured_queries]
    assert sum(begins in sql for sql in run) == 1
