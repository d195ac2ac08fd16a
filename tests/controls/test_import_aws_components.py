"""IN-02, R6: services come from AWS's own component definitions, and none is inherited
before somebody has read it.

A small set of files of our own stands for AWS's, which are read too where
`SRM_AWS_COMPONENTS` names their folder.
"""

from __future__ import annotations

import io
import json
import os
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError
from django.urls import reverse

from controls.errors import NotPermitted, Refused
from controls.models import (
    AuditEvent,
    ControlImplementation,
    PublishedService,
    Service,
    ServiceImport,
    ServiceLayer,
    ServiceVariant,
)
from controls.reference.published_services import compare_services, import_services
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db

Files = dict[str, Any]
NS = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def key(word: str) -> str:
    return str(uuid.uuid5(NS, word))


def prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def service(aws_id: str, title: str, *, regions: Any = ("eu-west-1",), **props: str):
    """A component of a service as AWS writes it."""
    return {
        "uuid": key(aws_id),
        "type": "service",
        "title": title,
        "description": "Words of another.",
        "props": [
            prop("service-id", aws_id),
            prop("label", props.pop("label", title)),
            prop("lifecycle-stage", "generally-available"),
            *(prop(name, value) for name, value in props.items()),
        ],
        "links": [
            {
                "rel": "provided-by",
                "resource-fragment": key(r),
                "href": "http://x.test/",
            }
            for r in regions
        ],
        "control-implementations": [
            {"implemented-requirements": [{"control-id": f"{aws_id}.1"}]}
        ],
    }


def rule(rule_id: str, implements: str) -> dict[str, Any]:
    return {
        "uuid": key(rule_id),
        "type": "software",
        "title": rule_id.lower(),
        "props": [prop("ConfigRuleId", rule_id)],
        "control-implementations": [
            {"implemented-requirements": [{"control-id": implements}]}
        ],
    }


def region(name: str) -> dict[str, Any]:
    props = [prop("region-id", name)]
    return {"uuid": key(name), "type": "region", "title": name, "props": props}


def definition(*components: Any) -> dict[str, Any]:
    return {"component-definition": {"uuid": key("file"), "components": components}}


def files() -> Files:
    """Three services in two files: one that we have, two that are new to us."""
    return {
        "aws_regions.oscal.json": definition(region("eu-west-1"), region("us-east-1")),
        "s3.oscal.json": definition(
            service("S3", "Amazon Simple Storage Service", iamServicePrefix="s3"),
            rule("S3_BUCKET_SSL", "S3.1"),
        ),
        "quantum.oscal.json": definition(
            service(
                "Braket", "Braket", regions=["us-east-1"], iamServicePrefix="braket"
            ),
            service("Braket Jobs", "Braket", iamServicePrefix="braket-jobs"),
            rule("BRAKET_LOGS", "Braket Jobs.1"),
        ),
    }


def packed(content: Files, **more: bytes) -> io.BytesIO:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, document in content.items():
            text = document if isinstance(document, bytes) else json.dumps(document)
            archive.writestr(f"component-definitions/{name}", text)
    body.seek(0)
    return body


def taken_in(content: Files | None = None) -> Any:
    return import_services(
        packed(files() if content is None else content), source="aws.zip", by=None
    )


def counts() -> tuple[int, ...]:
    models = (Service, ServiceVariant, PublishedService, ServiceImport, AuditEvent)
    return tuple(model.objects.count() for model in models)


def test_services_are_joined_or_arrive_not_classified():
    outcome = taken_in()
    assert [f.aws_id for f in outcome.difference.added] == ["Braket", "Braket Jobs"]
    assert [ours.slug for _, ours in outcome.difference.joined] == ["s3"]
    s3 = PublishedService.objects.get(aws_id="S3")
    assert (s3.service.slug, s3.service.name) == ("s3", "Amazon S3")
    assert s3.regions == ["eu-west-1"]
    assert (s3.config_rules, s3.hub_controls) == (["S3_BUCKET_SSL"], ["S3.1"])
    braket = PublishedService.objects.get(aws_id="Braket").service
    jobs = PublishedService.objects.get(aws_id="Braket Jobs")
    assert braket.slug == "braket"
    assert {braket.name, jobs.service.name} == {
        "Braket (Braket)",
        "Braket (Braket Jobs)",
    }
    assert jobs.config_rules == ["BRAKET_LOGS"]
    assert not ServiceLayer.objects.filter(variant__service=braket).exists()
    (event,) = AuditEvent.objects.filter(verb="services.imported")
    assert json.loads(event.body)["joined"] == {"S3": "s3"}


def test_the_same_files_again_change_nothing():
    taken_in()
    before = counts()
    assert taken_in().difference.is_nothing
    assert taken_in().difference.same == 3
    assert counts() == before


def test_what_aws_says_otherwise_is_told_and_taken():
    """A service renamed by AWS keeps its place; what is not in the files stays."""
    taken_in()
    later = files()
    _, jobs, logs = later["quantum.oscal.json"]["component-definition"]["components"]
    renamed = service("Braket", "Amazon Braket", iamServicePrefix="braket")
    later["quantum.oscal.json"] = definition(renamed, jobs, logs)
    del later["s3.oscal.json"]
    compared = compare_services(packed(later), by=None).difference
    (change,) = compared.changed
    assert change.renamed_from == "Braket"
    assert change.words == ["name", "names it is sold by", "regions"]
    assert [row.aws_id for row in compared.gone] == ["S3"]
    assert PublishedService.objects.get(aws_id="Braket").title == "Braket"
    taken_in(later)
    row = PublishedService.objects.get(aws_id="Braket")
    assert (row.title, row.service.slug) == ("Amazon Braket", "braket")
    assert PublishedService.objects.filter(aws_id="S3").exists()


def test_a_service_without_a_reading_is_never_inherited(system, oscar):
    """R6: each control that it touches says so, and ours it is, until it is read."""
    taken_in()
    pe_3 = ControlImplementation.objects.get(system=system, control__ref_id="pe-3")
    assert pe_3.decisions.latest("pk").responsibility == "inherited"
    use = Use(factories.variant("braket"), TODAY, regions=["us-east-1"])
    add_component(system, use, by=oscar)
    decision = pe_3.decisions.latest("pk")
    assert decision.responsibility == "shared"
    (row,) = [r for r in decision.basis.body if r["component"] == "braket"]
    assert (row["party"], row["layer"]) == ("customer", "facilities")
    assert row["source"].startswith("Not classified:")
    # nothing of it where none of its layers is governed
    ac_1 = ControlImplementation.objects.get(system=system, control__ref_id="ac-1")
    assert not [
        r for r in ac_1.decisions.latest("pk").basis.body if r["component"] == "braket"
    ]


def test_the_pages_say_which_is_not_classified(system, oscar, as_user):
    taken_in()
    use = Use(factories.variant("braket"), TODAY, regions=["us-east-1"])
    add_component(system, use, by=oscar)
    browser = as_user(oscar)
    control = browser.get(reverse("evidence:control", args=[system.slug, "pe-3"]))
    assert "Not classified: nobody has read" in control.content.decode()
    matrix = browser.get(
        reverse("evidence:matrix", args=[system.slug]), {"service": "braket"}
    )
    rows = [g.row for _, groups, _ in matrix.context["page"] for g in groups]
    assert rows
    assert {row.responsibility for row in rows} == {"unclassified"}
    for number in range(20):
        service = Service.objects.create(
            slug=f"new-{number}", name=f"New {number:02}", category="not classified"
        )
        service.variants.create(slug="standard", name=service.name, is_default=True)
    groups = list(
        browser.get(reverse("evidence:system_new")).context["form"].categories()
    )
    assert [group.title for group in groups][-2:] == ["Not classified", "Not AWS"]
    unread = groups[-2]
    more = len(unread.choices) - 16
    assert unread.names.endswith(f" and {more} more: search for one by name")
    new = browser.get(reverse("evidence:system_new"), {"q": "braket"})
    assert "all of it counts as yours until somebody reads it" in new.content.decode()


def send(browser, content: bytes, **buttons: str):
    url = reverse("evidence:published_services")
    file = SimpleUploadedFile("aws.zip", content)
    return browser.post(url, {"file": file, **buttons}, follow=True)


def text_of(page) -> str:
    return " ".join(page.content.decode().split())


def test_an_officer_sees_the_difference_then_imports(oscar, as_user):
    factories.give_installation_roles(oscar)
    browser = as_user(oscar)
    content = packed(files()).getvalue()
    before = counts()
    shown = text_of(send(browser, content, compare="yes"))
    assert "2 new services, not classified" in shown
    assert "Amazon Simple Storage Service: Amazon S3" in shown
    assert counts() == before
    done = text_of(send(browser, content, **{"import": "yes"}))
    assert "2 new services can be chosen now, not classified" in done
    assert "3 services, 2 not classified" in done
    assert ServiceImport.objects.get().imported_by == oscar
    again = send(browser, content, **{"import": "yes"}).content.decode()
    assert "nothing was changed" in again
    api = browser.get("/api/v1/services/s3/").json()
    assert api["published"][0]["config_rules"] == ["S3_BUCKET_SSL"]


@pytest.mark.parametrize("door", ["page", "command"])
def test_broken_off_nothing_is_half_there_and_it_runs_again(
    door, oscar, as_user, tmp_path, monkeypatch
):
    """The database goes away after the services came, before their event is written."""
    factories.give_installation_roles(oscar)
    browser = as_user(oscar)
    browser.raise_request_exception = False
    path = tmp_path / "aws.zip"
    path.write_bytes(packed(files()).getvalue())
    before = counts()

    def run() -> int:
        if door == "page":
            body = {"import": "yes"}
            return send(browser, path.read_bytes(), **body).status_code
        call_command("import_aws_components", str(path))
        return 302

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as broken:
        broken.setattr(type(AuditEvent.objects), "append", away)
        try:
            assert run() == 503
        except OperationalError:
            assert door == "command"
    assert counts() == before
    assert run() in {200, 302}
    assert PublishedService.objects.count() == 3
    once = counts()
    assert run() in {200, 302}
    assert counts() == once


def test_only_officers_of_the_installation(rita, client, settings):
    settings.MFA_REQUIRED = False
    sign_in_just_now(client, rita)
    answer = send(client, packed(files()).getvalue())
    assert answer.status_code == 403
    with pytest.raises(NotPermitted):
        import_services(packed(files()), source="aws.zip", by=rita)
    assert not PublishedService.objects.exists()


def changed(change: Callable[[Files], None]) -> Files:
    content = files()
    change(content)
    return content


def deep(content: Files) -> None:
    content["s3.oscal.json"] = b"[" * 100_000


def nested(content: Files) -> None:
    content["s3.oscal.json"] = b'{"a":' * 80 + b"1" + b"}" * 80


def twice_named(content: Files) -> None:
    content["s3.oscal.json"] = (
        b'{"component-definition": {}, "component-definition": {}}'
    )


def not_a_number(content: Files) -> None:
    content["s3.oscal.json"] = b'{"component-definition": {"a": NaN}}'


def long_number(content: Files) -> None:
    content["s3.oscal.json"] = b'{"component-definition": ' + b"9" * 5_000 + b"}"


def cut_off(content: Files) -> None:
    text = json.dumps(content["s3.oscal.json"]).encode()
    content["s3.oscal.json"] = text[: len(text) // 2]


def without_regions(content: Files) -> None:
    del content["aws_regions.oscal.json"]


def same_again(content: Files) -> None:
    content["zz.oscal.json"] = content["s3.oscal.json"]


def other_root(content: Files) -> None:
    content["s3.oscal.json"] = {"catalog": {}}


def too_large(content: Files) -> None:
    content["s3.oscal.json"] = b'{"component-definition": "' + b" " * 3_000_000 + b'"}'


def strange_text(content: Files) -> None:
    content["s3.oscal.json"] = definition(service("S3", "Simple\x00Storage"))


def nothing_at_all(content: Files) -> None:
    content.clear()


FAULTS = {
    deep: "nested too deep",
    nested: "nested too deep",
    twice_named: "a name stands twice",
    not_a_number: "NaN is no number",
    long_number: "not JSON",
    cut_off: "not JSON",
    without_regions: "Bring AWS's file of regions",
    same_again: "service S3 is in the files twice",
    other_root: "no “component-definition” at its top",
    too_large: "larger than 3 MB",
    strange_text: "holds what cannot be shown",
    nothing_at_all: "holds no file that ends in .json",
}


@pytest.mark.parametrize("change", FAULTS, ids=lambda change: change.__name__)
def test_in_02_a_fault_is_named_and_nothing_is_written(change):
    before = counts()
    with pytest.raises(Refused) as refusal:
        taken_in(changed(change))
    assert FAULTS[change] in str(refusal.value)
    assert counts() == before


def test_no_zip_is_refused(oscar, as_user):
    factories.give_installation_roles(oscar)
    answer = send(as_user(oscar), b"%PDF-1.7 no archive", **{"import": "yes"})
    assert answer.status_code == 422
    assert "no ZIP file that can be read" in answer.content.decode()


def test_a_byte_order_mark_is_no_fault():
    content = files()
    text = json.dumps(content["s3.oscal.json"])
    content["s3.oscal.json"] = b"\xef\xbb\xbf" + text.encode()
    assert len(taken_in(content).read.services) == 3


def test_the_command_reads_a_folder(tmp_path, capsys):
    for name, document in files().items():
        (tmp_path / name).write_text(json.dumps(document))
    before = counts()
    call_command("import_aws_components", str(tmp_path), "--dry-run")
    said = capsys.readouterr().out
    assert "Read 3 services in 3 files." in said
    assert "New, not classified: 2: Braket, Braket." in said
    assert "Nothing was written." in said
    assert counts() == before
    call_command("import_aws_components", str(tmp_path))
    assert "Joined to a service that is there: 1:" in capsys.readouterr().out
    call_command("import_aws_components", str(tmp_path))
    assert "Nothing to change" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("import_aws_components", str(tmp_path / "nowhere"))


@pytest.mark.skipif(
    not os.environ.get("SRM_AWS_COMPONENTS"),
    reason="AWS's own files are read where SRM_AWS_COMPONENTS names their folder",
)
def test_the_files_of_aws(capsys):
    """Every service of theirs can be chosen; those that we have read are joined."""
    folder = Path(os.environ["SRM_AWS_COMPONENTS"])
    call_command("import_aws_components", str(folder))
    assert "Read 398 services in 230 files." in capsys.readouterr().out
    assert PublishedService.objects.count() == 398
    joined = {
        row.aws_id: row.service.slug
        for row in PublishedService.objects.exclude(
            service__category="not classified"
        ).select_related("service")
    }
    expected = {
        "S3": "s3",
        "EC2": "ec2",
        "RDS": "rds",
        "KMS": "kms",
        "Lambda": "lambda",
    }
    assert {name: joined.get(name) for name in expected} == expected
    assert all(row.slug for row in Service.objects.all())
    call_command("import_aws_components", str(folder))
    assert "Nothing to change" in capsys.readouterr().out
