"""R27: files of reports that were released to an audit lie in a package made for it,
for who may open them and confirmed their term; whoever takes it is on record."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from django.urls import reverse

from controls.errors import TransitionNotAllowed
from controls.models import AuditEvent, Engagement, User
from evidence.exports.jobs import opened_for
from evidence.held_reports.opening import confirm_term, opened_report
from evidence.held_reports.releases import release_report, take_back
from evidence.models import ArtifactVersion, DisclosureRecord, Export, ReportFile
from tests import factories
from tests.evidence.exports import everything, packages
from tests.evidence.held_reports.held import hold, report_pdf
from tests.evidence.house import House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "secret-name.pdf"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.MFA_REQUIRED = False
    built = everything.build(settings, tmp_path / "store")
    factories.give_installation_roles(built.olivia)
    return built


@pytest.fixture
def held(house) -> ReportFile:
    return hold(ArtifactVersion.objects.get(), by=house.olivia, name=NAME)


def made(house: House, by: User, *, for_audit: bool = True) -> Export:
    audit = Engagement.objects.get()
    filters = {"engagement": str(audit.uuid)} if for_audit else {}
    return packages.requested(house, by, filters=filters)


def opened(export: Export, by: User, target: Path) -> tuple[list[str], Path]:
    """The names of its files, and where it was saved."""
    taken = opened_for(export, by=by)
    with taken.body as body:
        target.write_bytes(body.read())
    with zipfile.ZipFile(target) as archive:
        return archive.namelist(), target


def listed(package: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(package) as archive:
        (whole,) = [path for path in archive.namelist() if path.endswith(name)]
        text = archive.read(whole).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_it_lies_in_the_package_for_the_audit_and_who_took_it_is_recorded(
    house, held, client, tmp_path
) -> None:
    audit, audrey = Engagement.objects.get(), house.people["audrey"]
    release_report(held, audit, reason="They asked for it.", by=house.olivia)
    confirm_term(held, by=house.olivia)
    with opened_report(held, by=house.olivia).body:
        pass  # so that somebody saw it before

    unconfirmed = made(house, audrey)
    names, package = opened(unconfirmed, audrey, tmp_path / "unconfirmed.zip")
    (row,) = listed(package, "reports/released.csv")
    assert (row["file"], row["sha256"], row["term"]) == ("", held.sha256, "Keep it.")
    assert "Read the term" in row["withheld"]
    assert not any("secret-name" in name for name in names)
    assert DisclosureRecord.objects.filter(person=audrey).count() == 0

    confirm_term(held, by=audrey)
    export = made(house, audrey)
    assert export.reports == [held.pk]
    assert DisclosureRecord.objects.filter(person=audrey).count() == 0  # not taken yet
    names, package = opened(export, audrey, tmp_path / "package.zip")
    assert packages.faults(package) == []
    (path,) = [name for name in names if "secret-name" in name]
    with zipfile.ZipFile(package) as archive:
        assert archive.read(path) == report_pdf()
    (row,) = listed(package, "reports/released.csv")
    assert path.endswith(row["file"])
    assert (row["agreement"], row["released_because"]) == ("NDA", "They asked for it.")
    # who had seen it is for those who keep it
    assert listed(package, "reports/disclosures.csv") == []
    (record,) = DisclosureRecord.objects.filter(person=audrey)
    assert record.reason == f"In the evidence package {export.uuid}"
    verbs = AuditEvent.objects.order_by("-pk").values_list("verb", flat=True)[:2]
    assert list(verbs) == ["export.downloaded", "report-file.downloaded"]
    sign_in_just_now(client, audrey)
    address = reverse("evidence:export_download", args=[export.uuid])
    answer = client.get(address)
    assert (answer.status_code, bool(b"".join(answer.streaming_content))) == (200, True)
    assert DisclosureRecord.objects.filter(person=audrey).count() == 2

    mine = made(house, house.olivia)
    names, package = opened(mine, house.olivia, tmp_path / "officer.zip")
    assert any("secret-name" in name for name in names)
    assert len(listed(package, "reports/disclosures.csv")) >= 2

    taken = DisclosureRecord.objects.count()
    take_back(audit.report_releases.get(), by=house.olivia)
    with pytest.raises(TransitionNotAllowed, match="no longer released"):
        opened_for(export, by=audrey)
    assert DisclosureRecord.objects.count() == taken
    assert client.get(address).status_code != 200
    after = made(house, audrey)
    assert after.reports is None


def test_of_any_other_package_the_hash_alone(house, held, tmp_path) -> None:
    audit = Engagement.objects.get()
    confirm_term(held, by=house.olivia)
    export = made(house, house.olivia)  # for the audit, but not released to it
    names, package = opened(export, house.olivia, tmp_path / "unreleased.zip")
    assert not [name for name in names if "/reports/" in name]
    release_report(held, audit, reason="They asked for it.", by=house.olivia)
    export = made(house, house.olivia, for_audit=False)
    names, package = opened(export, house.olivia, tmp_path / "other.zip")
    assert export.reports is None
    assert not [name for name in names if "/reports/" in name]
    (row,) = listed(package, "provider-documents.csv")
    assert row["sha256 of what is held"] == held.sha256
