"""R1, R3, R4, R9: an engineer reads who answers for what, service by service.

Each control of a system stands beside the services in use, with the provider's duty,
ours to configure or provide, the source and the report that proves the provider's part;
on a page, over the API, as CSV and as a workbook, all of them alike.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from controls.models import ControlImplementation
from controls.responsibility.overrides import decide_override, request_override
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import no_progress, scope_of
from evidence.systems.describe import Use, add_component, end_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
IAM = "AWS IAM and IAM Identity Center"


@pytest.fixture
def proven(system, oscar, olga, settings, tmp_path):
    """AWS's report speaks for PE-3 and SI-2, and names S3 alone as a service."""
    settings.EVIDENCE_STORE = str(tmp_path)
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"], title="AWS SOC 2")
    report = factories.make_report(
        artifact, TODAY - 300 * DAY, TODAY - 20 * DAY, services=["s3"], label="R1"
    )
    factories.rely_on(report, system, by=olga)
    return system


def page_of(browser, system, **query):
    return browser.get(reverse("evidence:matrix", args=[system.slug]), query)


def rows_of(page, label):
    """The rows of a control: names of services, class, and both sides' duties."""
    for control, groups, _ in page.context["page"]:
        if control.control["label"] == label:
            return [
                (
                    group.names,
                    group.row.responsibility,
                    group.row.theirs_named,
                    group.row.configured,
                    group.row.provided,
                )
                for group in groups
            ]
    return None


def cells(rows):
    """The same as the lines of a file."""
    return {(row["Control"], row["Service"]): row for row in rows}


def test_each_service_has_its_own_class(proven, as_user, alice):
    page = page_of(as_user(alice), proven)
    assert page.status_code == 200
    facilities = rows_of(page, "PE-3")
    assert facilities == [
        (("Amazon EC2", IAM, "Amazon S3"), "inherited", "Facilities", "", "")
    ]
    of_si_2 = {
        names: made[1:] for (*made,) in rows_of(page, "SI-2") for names in made[0]
    }
    assert of_si_2["your organisation"][0] == "customer"
    assert of_si_2["Amazon EC2"][0] == "shared"
    assert "Guest operating system" in of_si_2["Amazon EC2"][3]
    assert of_si_2["Amazon S3"][0] == "shared"
    assert "Guest operating system" not in of_si_2["Amazon S3"][3]
    shown = page.content.decode()
    assert "template, confirm for your use" in shown


def test_the_report_that_proves_each_service(proven, as_user, alice):
    """R23: facilities are proven by region, the platform by service."""
    page = page_of(as_user(alice), proven, q="PE-3")
    (_, groups, _), *_ = page.context["page"]
    assert [group.row.reports for group in groups] == [("AWS SOC 2, R1",)]
    assert [group.row.proof for group in groups] == ["proven"]
    page = page_of(as_user(alice), proven, q="SI-2")
    by_name = {n: g.row for _, groups, _ in page.context["page"] for g in groups
               for n in g.names}  # fmt: skip
    assert by_name["Amazon S3"].reports == ("AWS SOC 2, R1",)
    assert by_name["Amazon EC2"].proof != "proven"
    assert by_name["your organisation"].proof == ""


def test_filters(proven, as_user, alice):
    browser = as_user(alice)
    only_ec2 = page_of(browser, proven, service="ec2", duty="provided")
    assert {n for _, groups, _ in only_ec2.context["page"] for g in groups
            for n in g.names} == {"Amazon EC2"}  # fmt: skip
    assert rows_of(only_ec2, "PE-3") is None
    assert rows_of(only_ec2, "SI-2")
    family = page_of(browser, proven, family="pe")
    assert {c.control["family"] for c, *_ in family.context["page"]} == {"pe"}
    nothing = page_of(browser, proven, service="no-such").context["page"]
    assert nothing.paginator.count == proven.implementations.count()


def test_a_past_day_shows_what_was_in_use_then(proven, as_user, oscar):
    add_component(
        proven,
        Use(factories.variant("lambda"), TODAY, regions=["us-east-1"]),
        by=oscar,
    )
    browser = as_user(oscar)
    now = page_of(browser, proven, service="lambda").context["page"]
    assert now.paginator.count
    then = page_of(browser, proven, on=str(TODAY - DAY))
    assert "AWS Lambda" not in then.content.decode()
    assert not then.context["teams"]


def test_an_override_moves_the_duties(proven, as_user, oscar, olga):
    """R9: what two officers decided stands, not the template."""
    asked = request_override(
        ControlImplementation.objects.get(system=proven, control__ref_id="pe-3"),
        responsibility="customer",
        reason="A cage of our own.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=oscar,
    )
    decide_override(asked, approve=True, by=olga)
    page = page_of(as_user(oscar), proven, q="PE-3")
    assert rows_of(page, "PE-3") == [
        (("your organisation",), "customer", "", "", "the control as a whole")
    ]
    assert "override" in page.content.decode()


def written(system, format_name):
    file = io.BytesIO()
    scope = scope_of(system, TODAY, None, None)
    FORMATS[format_name].write(scope, file, no_progress)
    return file.getvalue()


def test_the_files_say_what_the_page_says(proven, as_user, alice):
    rows = list(
        csv.DictReader(io.StringIO(written(proven, "matrix-csv").decode("utf-8-sig")))
    )
    book = load_workbook(io.BytesIO(written(proven, "matrix-xlsx")))
    assert book.sheetnames == ["About", "Responsibility matrix"]
    titles, *lines = book["Responsibility matrix"].iter_rows(values_only=True)
    of_book = [
        dict(zip(titles, (c or "" for c in line), strict=True)) for line in lines
    ]
    assert [{n: row[n] for n in titles} for row in rows] == of_book
    by_service = cells(rows)
    page = page_of(as_user(alice), proven)
    for control, groups, _ in page.context["page"]:
        for group in groups:
            for name in group.names:
                row = by_service.pop((control.control["label"], name))
                assert row["We provide"] == group.row.provided
                assert row["The provider does"] == group.row.theirs_named
                assert row["Proven by"] == "; ".join(group.row.reports)
    assert all(row["Service"] == "no such layer" for row in by_service.values())
    assert {row["Known at"] for row in rows} != {""}


def test_the_api_says_what_the_page_says(proven, as_user, alice):
    browser = as_user(alice)
    url = reverse("matrix-list", args=[proven.slug])
    body = browser.get(url).json()
    assert len(body["results"]) == proven.implementations.count()
    pe_3 = next(row for row in body["results"] if row["control_id"] == "pe-3")
    assert {row["service"] for row in pe_3["rows"]} == {"ec2", "iam", "s3"}
    assert pe_3["rows"][0]["provider_layers"] == ["facilities"]
    assert pe_3["rows"][0]["reports"] == ["AWS SOC 2, R1"]
    only = browser.get(url, {"control": "si-2", "service": "ec2"}).json()["results"]
    assert [[r["service"] for r in row["rows"]] for row in only] == [["ec2"]]
    wrong = browser.get(url, {"duty": "nobodys"})
    assert wrong.status_code == 400
    assert "is none of" in wrong.content.decode()


def test_statements_do_not_grow_with_services(proven, as_user, oscar):
    """Three more services and another report ask the database nothing more."""
    browser = as_user(oscar)
    page_of(browser, proven)
    with CaptureQueriesContext(connection) as few:
        page_of(browser, proven)
    for name in ("lambda", "dynamodb", "rds"):
        use = Use(factories.variant(name), TODAY, regions=["us-east-1"])
        add_component(proven, use, by=oscar)
    artifact = factories.make_artifact(oscar, ["pe-13", "cm-2"], series="c5")
    factories.make_report(artifact, TODAY - 300 * DAY, TODAY - 20 * DAY)
    with CaptureQueriesContext(connection) as more:
        page_of(browser, proven)
    assert len(more) == len(few)


def test_what_ended_is_gone(proven, as_user, oscar):
    component = proven.components.get(variant__service__slug="s3")
    end_component(component, last_day=TODAY - DAY, by=oscar)
    assert "Amazon S3" not in page_of(as_user(oscar), proven).content.decode()
