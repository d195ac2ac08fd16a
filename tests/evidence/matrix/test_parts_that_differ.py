"""R5: where a part of a control is read otherwise than the whole, the matrix shows the
part, on its page, in its files and over the API; where it is not, the control alone."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import Control, ControlLayer, ReferenceVersion
from controls.models.catalog import Origin
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import no_progress, scope_of
from evidence.systems.matrix_parts import part_readings
from tests import factories
from tests.one_day import BEGINS, TODAY

pytestmark = pytest.mark.django_db


def read_part(ref_id: str, part: str, layer: str) -> ControlLayer:
    """A shipped reading of one part beside that of the control."""
    control = Control.objects.get(ref_id=ref_id, catalog__slug=factories.catalog_slug())
    return ControlLayer.objects.create(
        control=control,
        statement_id=f"{ref_id}_smt.{part}",
        layer=layer,
        origin=Origin.SHIPPED,
        reason="This part is about our own accounts.",
        reference_version=ReferenceVersion.objects.newest(),
    )


def shown(browser, system, **query):
    page = browser.get(reverse("evidence:matrix", args=[system.slug]), query)
    return {
        part.label: (part.responsibility, {row.component for row in part.rows})
        for _, _, parts in page.context["page"]
        for part, _ in parts
    }, page


def test_a_part_read_otherwise_stands_under_its_control(
    system, oscar, as_user, settings, tmp_path
):
    settings.EVIDENCE_STORE = str(tmp_path)
    ReferenceVersion.objects.update(loaded_at=BEGINS - dt.timedelta(days=1))
    browser = as_user(oscar)
    assert "AC-2 (a)" not in shown(browser, system)[0]
    with CaptureQueriesContext(connection) as without:
        shown(browser, system)
    # AC-2 is shared over hosts, platform, identity and our application; (a) is read as
    # our application alone
    read_part("ac-2", "a", "application")
    parts, page = shown(browser, system)
    assert parts["AC-2 (a)"] == ("customer", {"organisation"})
    assert "AC-2 (a)" in page.content.decode()
    read_part("si-2", "a", "application")
    with CaptureQueriesContext(connection) as more:
        shown(browser, system)
    # the texts of controls with such parts are read once, however many there are
    assert len(more) == len(without) + 1
    assert shown(browser, system, duty="theirs")[0].get("AC-2 (a)") is None

    file = io.BytesIO()
    scope = scope_of(system, TODAY, None, None)
    FORMATS["matrix-csv"].write(scope, file, no_progress)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    of_part = [row for row in rows if row["Control"] == "AC-2 (a)"]
    assert [row["Service"] for row in of_part]
    assert {row["Class of the control"] for row in of_part} == {"customer"}
    assert any(row["Control"] == "AC-2" for row in rows)

    url = reverse("matrix-list", args=[system.slug])
    (ac_2,) = browser.get(url, {"control": "ac-2"}).json()["results"]
    assert "AC-2 (a)" in [part["label"] for part in ac_2["parts"]]
    # what was read later was not known then
    control = Control.objects.get(ref_id="ac-2", catalog__slug=factories.catalog_slug())
    loaded = ReferenceVersion.objects.newest().loaded_at
    assert part_readings([control.pk], None)
    assert not part_readings([control.pk], loaded)
