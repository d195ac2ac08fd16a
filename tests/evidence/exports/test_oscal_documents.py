"""R29, R4, R8, AU-10: OSCAL documents of a system, whole, true and without loose ends.

With SRM_TEST_OSCAL_SCHEMAS, a folder of NIST's JSON schemas 1.2.3, each is held against
the official schema as well as against a table of our own.
One file: each document is made of the same system, and their references meet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from controls.models import (
    ApplicabilityDecision,
    BaselineControl,
    ControlImplementation,
    ControlLayer,
    Engagement,
    SystemComponent,
)
from controls.models.catalog import Origin
from controls.oscal.documents import read_document
from controls.oscal.references import faults
from controls.reference.catalog_ids import shipped_ids
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, request_export
from evidence.findings.dispositions import decide_disposition, request_disposition
from evidence.findings.recording import record_finding, record_observation
from evidence.models import Evidence, EvidenceLink, Finding
from evidence.models.proof import Proof
from evidence.status.control_status import control_statuses, moment_of
from evidence.status.finding_days import due_day
from tests import factories
from tests.evidence.exports import everything
from tests.evidence.exports.everything import ARABIC, EVIL, exported
from tests.evidence.exports.oscal_shape import misshapen
from tests.evidence.house import TODAY, House
from tests.one_day import BEGINS

pytestmark = pytest.mark.django_db(transaction=True)

ROOTS = {
    "oscal-ssp": "system-security-plan",
    "oscal-component": "component-definition",
    "oscal-assessment-results": "assessment-results",
    "oscal-poam": "plan-of-action-and-milestones",
}
SCHEMAS = os.environ.get("SRM_TEST_OSCAL_SCHEMAS", "")
SCHEMA_OF = {
    "oscal-ssp": "oscal_ssp_schema.json",
    "oscal-component": "oscal_component_schema.json",
    "oscal-assessment-results": "oscal_assessment-results_schema.json",
    "oscal-poam": "oscal_poam_schema.json",
}
STATEMENT = "=We patch every guest\r\nwithin 30 days.\x07  "


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    """Texts that no schema takes as they are: control characters, lines, space."""
    house = everything.build(settings, tmp_path)
    (link,) = EvidenceLink.objects.filter(state="accepted")
    Proof.objects.follow(link)
    chosen = ControlImplementation.objects.filter(control__ref_id="si-2")
    chosen.update(customer_statement=STATEMENT)
    BaselineControl.objects.filter(
        baseline=house.system.baseline, control__ref_id="si-2"
    ).update(parameters={"si-02_odp": " within thirty (30)\n days "})
    return house


def document(house: House, format_name: str) -> dict[str, Any]:
    """The export below its root key."""
    content = json.loads(exported(house, format_name))
    assert list(content) == [ROOTS[format_name]]
    body: dict[str, Any] = content[ROOTS[format_name]]
    return body


def values(node: Any, key: str) -> Iterator[Any]:
    """Everything that stands under a key, however deep."""
    if isinstance(node, dict):
        for name, member in node.items():
            if name == key:
                yield member
            yield from values(member, key)
    elif isinstance(node, list):
        for member in node:
            yield from values(member, key)


def props(node: dict[str, Any], *, ns: str = "urn:srm:oscal") -> dict[str, str]:
    """Values of our own properties by name; ns "" means OSCAL's own."""
    mine = [prop for prop in node["props"] if prop.get("ns", "") == ns]
    return {prop["name"]: prop["value"] for prop in mine}


def requirement(plan: dict[str, Any], control_id: str) -> dict[str, Any]:
    (found,) = (
        node
        for node in plan["control-implementation"]["implemented-requirements"]
        if node["control-id"] == control_id
    )
    return found


def by_component(statement: dict[str, Any], title: str, plan: Any) -> dict[str, Any]:
    """A statement's entry for the component of a title."""
    (uuid,) = (
        component["uuid"]
        for component in plan["system-implementation"]["components"]
        if component["title"] == title
    )
    (found,) = (
        node for node in statement["by-components"] if node["component-uuid"] == uuid
    )
    return found


def official(format_name: str) -> Any:
    """NIST's schema of a format, ready to validate."""
    schema = json.loads((Path(SCHEMAS) / SCHEMA_OF[format_name]).read_text())
    return jsonschema_rs.validator_for(schema)


@pytest.mark.parametrize("format_name", ROOTS)
def test_nothing_in_it_is_empty_unknown_or_misshapen(house, format_name) -> None:
    body = document(house, format_name)
    assert list(misshapen(ROOTS[format_name], body)) == []


@pytest.mark.parametrize("format_name", ROOTS)
def test_every_uuid_and_id_leads_to_what_it_names(house, format_name) -> None:
    content = exported(house, format_name)
    read = read_document("export.json", content)
    assert [str(fault) for fault in faults([read], shipped_ids())] == []


@pytest.mark.skipif(not SCHEMAS, reason="SRM_TEST_OSCAL_SCHEMAS is not given")
@pytest.mark.parametrize("format_name", ROOTS)
def test_it_is_valid_by_the_schema_of_nist(house, format_name) -> None:
    validator = official(format_name)
    body = json.loads(exported(house, format_name))
    assert [error.message for error in validator.iter_errors(body)] == []
    body[ROOTS[format_name]]["metadata"]["remark"] = "No such key."
    assert not validator.is_valid(body)


@pytest.mark.parametrize("format_name", ROOTS)
def test_it_says_what_it_is_about(house, format_name) -> None:
    """AU-10: system, window, both clocks, number of the rules, reference version."""
    body = document(house, format_name)
    about = props(body["metadata"])
    assert about["system"] == "shop"
    assert about["about-day"] == str(TODAY)
    assert about["window-start"] == str(house.system.window_start)
    assert about["window-end"] == str(house.system.window_end)
    assert about["rules"].isdigit()
    assert about["reference-version"]
    assert about["known-at"].endswith("+00:00")
    known = body["metadata"]["last-modified"]
    assert known.removesuffix("Z") == about["known-at"].removesuffix("+00:00")
    assert body["metadata"]["oscal-version"] == "1.2.3"


def test_both_halves_of_a_shared_control_stand_by_component(house) -> None:
    """Part by part: what AWS runs, what it leaves to us, and that we meet it."""
    implementation = factories.implementation(house.system, "si-2")
    implementation.statements.update(
        status="implemented", part_statuses={"si-2_smt.b": "planned"}
    )
    plan = document(house, "oscal-ssp")
    control = requirement(plan, "si-2")
    origins = [p["value"] for p in control["props"] if "ns" not in p]
    assert origins[0] == "inherited"
    assert "system-specific" in origins
    assert props(control)["responsibility-source"] == "template, confirm for your use"
    assert control["set-parameters"] == [
        {"param-id": "si-02_odp", "values": ["within thirty (30) days"]}
    ]
    parts = {node["statement-id"]: node for node in control["statements"]}
    assert list(parts) == [f"si-2_smt.{letter}" for letter in "abcd"]
    ours, aws = (
        by_component(parts["si-2_smt.a"], title, plan) for title in ("Shop", "AWS")
    )
    (provided,) = aws["export"]["provided"]
    (left,) = aws["export"]["responsibilities"]
    assert provided["description"].startswith("AWS runs: ")
    assert left["provided-uuid"] == provided["uuid"]
    assert [node["provided-uuid"] for node in ours["inherited"]] == [provided["uuid"]]
    assert [node["responsibility-uuid"] for node in ours["satisfied"]] == [left["uuid"]]
    text = "=We patch every guest\nwithin 30 days."
    assert ours["satisfied"][0]["description"] == text
    assert ours["description"].startswith(f"{text}\n\nOurs:\n\n- ")
    assert ours["implementation-status"] == {"state": "implemented"}
    planned = by_component(parts["si-2_smt.b"], "Shop", plan)
    assert planned["implementation-status"] == {"state": "planned"}
    assert "satisfied" not in planned


def test_a_provider_stands_under_the_parts_that_it_answers_for(house) -> None:
    """R5: a part is told by the layers that it is read to govern, as FedRAMP's workbook
    tells it: our code is ours alone, the host the provider's alone."""
    si_2 = factories.implementation(house.system, "si-2").control
    shipped = list(ControlLayer.objects.filter(control=si_2, statement_id=""))
    assert {"application", "host-os"} < {row.layer for row in shipped}
    ControlLayer.objects.bulk_create(
        ControlLayer(
            control=si_2,
            statement_id=f"si-2_smt.{letter}",
            layer=row.layer,
            origin=Origin.LOCAL,
            reason="Read by itself.",
            reference_version=row.reference_version,
        )
        for row in shipped
        for letter in {"application": "a", "host-os": "d"}.get(row.layer, "")
    )
    content = exported(house, "oscal-ssp")
    plan = json.loads(content)["system-security-plan"]
    parts = {n["statement-id"][-1]: n for n in requirement(plan, "si-2")["statements"]}
    assert [len(parts[letter]["by-components"]) for letter in "abcd"] == [1, 2, 2, 2]
    (ours,) = parts["a"]["by-components"]
    assert "inherited" not in ours
    assert "Application of " in ours["description"]
    assert "Guest operating system" not in ours["description"]
    ours, aws = (by_component(parts["d"], title, plan) for title in ("Shop", "AWS"))
    assert ours["description"] == "Inherited from AWS."
    assert "responsibilities" not in aws["export"]
    assert aws["description"].startswith("AWS runs: Host operating system of ")
    assert "Facilities" not in aws["description"]
    assert not list(faults([read_document("export.json", content)], shipped_ids()))


def test_what_nobody_stated_is_not_called_implemented(house) -> None:
    """R28: nor is a provider's half whose proof does not hold."""
    factories.implementation(house.system, "si-2").statements.all().delete()
    plan = document(house, "oscal-ssp")
    for statement in requirement(plan, "si-2")["statements"]:
        for node in statement["by-components"]:
            assert "implementation-status" not in node
            assert "satisfied" not in node


def test_a_control_of_a_provider_alone_is_inherited_and_asks_nothing(house) -> None:
    plan = document(house, "oscal-ssp")
    control = requirement(plan, "pe-3")
    assert props(control, ns="") == {"control-origination": "inherited"}
    ours, aws = (
        by_component(control["statements"][0], title, plan) for title in ("Shop", "AWS")
    )
    assert "responsibilities" not in aws["export"]
    assert "satisfied" not in ours
    assert ours["description"] == "Inherited from AWS."


def test_what_is_left_out_stays_a_row_with_its_reason(house) -> None:
    """R10: of a provider too, whose half is then not spoken of."""
    implementation = factories.implementation(house.system, "pe-3")
    boss = factories.make_user("boss")
    factories.give_role(boss, house.system, "officer")
    ApplicabilityDecision.objects.create(
        implementation=implementation,
        basis=implementation.decision.basis,
        requested_by=house.olivia,
        decided_by=boss,
        state="approved",
        justification="There is no site of ours.",
        absent_layers=[],
        starts_on=TODAY,
        review_by=TODAY + everything.DAY,
    )
    plan = document(house, "oscal-ssp")
    for statement in requirement(plan, "pe-3")["statements"]:
        (ours,) = statement["by-components"]
        assert ours["implementation-status"] == {
            "state": "not-applicable",
            "remarks": "There is no site of ours.",
        }
    assert props(requirement(plan, "pe-3"), ns="") == {}


@pytest.mark.parametrize("format_name", ROOTS)
def test_a_view_holds_its_controls_and_says_so(house, format_name) -> None:
    record_finding(
        factories.implementation(house.system, "si-2"),
        title="Old kernel",
        text="One host.",
        severity="low",
        source="Scan",
        found_on=TODAY,
        by=house.olivia,
    )
    content = exported(house, format_name, filters={"family": "si"})
    body = json.loads(content)[ROOTS[format_name]]
    shown = set(values(body, "control-id")) or {
        props(node)["control-id"] for node in body["poam-items"]
    }
    assert shown == {"si-2"}
    assert props(body["metadata"])["controls"] == "family SI"
    read = read_document("export.json", content)
    assert [str(fault) for fault in faults([read], shipped_ids())] == []


def test_classes_and_verdicts_are_those_of_the_screen(house) -> None:
    plan = document(house, "oscal-ssp")
    answers = control_statuses(house.system, moment_of(house.system, None, None))
    written = {
        node["control-id"]: (props(node)["responsibility"], props(node)["verdict"])
        for node in plan["control-implementation"]["implemented-requirements"]
    }
    assert written == {
        answer.implementation["ref_id"]: (
            answer.facts.responsibility,
            answer.status.verdict,
        )
        for answer in answers
    }


def test_services_in_use_are_components_and_a_report_relied_on_is_leaned_on(
    house,
) -> None:
    """Only what is in use that day; a report that nobody relies on is not there."""
    gone = SystemComponent.objects.filter(system=house.system).earliest("pk")
    plan = document(house, "oscal-ssp")
    implementation = plan["system-implementation"]
    (leveraged,) = implementation["leveraged-authorizations"]
    (aws,) = (c for c in implementation["components"] if c["title"] == "AWS")
    leans_on = props(aws, ns="")["leveraged-authorization-uuid"]
    assert leans_on == leveraged["uuid"]
    services = {
        props(c)["service"] for c in implementation["components"] if c["type"] ==
        "service"
    }  # fmt: skip
    in_use = SystemComponent.objects.filter(system=house.system)
    assert services == {component.variant.service.slug for component in in_use}
    SystemComponent.objects.filter(pk=gone.pk).update(used_until=TODAY)
    later = document(house, "oscal-ssp")["system-implementation"]["components"]
    assert gone.variant.service.slug not in {
        props(c).get("service") for c in later if "props" in c
    }


def test_the_customers_side_is_told_by_service(house) -> None:
    definition = document(house, "oscal-component")
    titles = {node["title"] for node in definition["components"]}
    assert "Organisation of Shop" in titles
    of_control = {
        (component["title"], node["control-id"]): node
        for component in definition["components"]
        for node in component["control-implementations"][0]["implemented-requirements"]
    }
    assert not [key for key in of_control if key[1] == "pe-3"]
    ours = of_control["Organisation of Shop", "si-2"]
    assert ours["description"].startswith("=We patch every guest\nwithin 30 days.")
    service = next(key for key in of_control if key[1] == "si-2" and key != (
        "Organisation of Shop", "si-2"))  # fmt: skip
    assert of_control[service]["description"].startswith("- ")
    assert props(of_control[service], ns="")["control-origination"].startswith(
        "customer-"
    )


def test_evidence_is_observed_with_its_hashes_and_nobody_finds_anything(house) -> None:
    """R29: observations of all states; a finding is for an auditor's mark only."""
    results = document(house, "oscal-assessment-results")
    (result,) = results["results"]
    assert "findings" not in result
    observed = [n for n in result["observations"] if "item-kind" not in props(n)]
    states = {props(node)["state"] for node in observed}
    assert states == {"accepted", "submitted", "rejected"}
    assert len(observed) == EvidenceLink.objects.count()
    titles = {node["title"] for node in observed}
    assert {EVIL, ARABIC} <= titles
    resources = {node["uuid"]: node for node in results["back-matter"]["resources"]}
    for node in observed:
        assert node["methods"] == ["EXAMINE"]
        link = EvidenceLink.objects.get(
            revision__evidence__uuid=props(node)["evidence"],
            implementation__control__ref_id=props(node)["control-id"],
        )
        digests = [
            resources[evidence["href"][1:]]["rlinks"][0]["hashes"][0]
            for evidence in node["relevant-evidence"]
        ]
        assert digests == [
            {"algorithm": "SHA-256", "value": file.blob.sha256}
            for file in link.revision.files.order_by("position")
        ]
        assert node["collected"][:10] == str(link.revision.collected_on)
        assert ("expires" in node) is (props(node)["state"] == "accepted")


def test_findings_are_marks_of_auditors_for_who_may_read_them(house) -> None:
    """R29: nothing else makes one; a contributor's or reader's file has none."""
    audit = Engagement.objects.get()
    for control, state, note in (
        ("cm-8", "satisfied", ""),
        ("si-2", "other_than_satisfied", "Two hosts\nlate."),
        ("pe-3", "in_progress", "Not read yet."),
    ):
        implementation = factories.implementation(house.system, control)
        draft = MarkDraft(state, ("examine",), "W-7", note)
        mark_control(audit, implementation, draft, by=house.audrey, now=BEGINS)

    (result,) = document(house, "oscal-assessment-results")["results"]
    assert "findings" not in result, "ray reads no marks"
    for reader in (house.audrey, house.olivia):
        house.people["ray"] = reader
        content = exported(house, "oscal-assessment-results")
        read = read_document("export.json", content)
        assert [str(fault) for fault in faults([read], shipped_ids())] == []
        body = json.loads(content)
        assert list(misshapen("assessment-results", body["assessment-results"])) == []
        if SCHEMAS:
            assert list(official("oscal-assessment-results").iter_errors(body)) == []
        (result,) = body["assessment-results"]["results"]
        cm8, si2 = result["findings"]
        assert cm8["target"] == {
            "type": "statement-id",
            "target-id": "cm-8_smt",
            "status": {"state": "satisfied"},
        }
        accepted = [
            n for n in result["observations"] if props(n).get("state") == "accepted"
        ]
        assert [node["observation-uuid"] for node in cm8["related-observations"]] == [
            node["uuid"] for node in accepted
        ]
        assert si2["target"]["status"] == {"state": "not-satisfied"}
        assert si2["description"] == "Two hosts\nlate."
        assert props(si2)["auditor-reference"] == "W-7"
        assert "related-observations" not in si2


def test_what_was_seen_to_fail_is_observed_until_it_is_explained(house) -> None:
    """R28: it contradicts the evidence; a second person agrees that it was nothing."""
    implementation = factories.implementation(house.system, "cm-8")
    observation = record_observation(
        implementation,
        source="Scan",
        text="Two hosts are not listed.",
        observed_on=TODAY,
        by=house.olivia,
    )

    def states() -> list[str]:
        (result,) = document(house, "oscal-assessment-results")["results"]
        titled = [n for n in result["observations"] if "Seen" in n["title"]]
        return [props(node)["state"] for node in titled]

    assert states() == ["failing"]
    explained = request_disposition(
        observation, kind="explained", text="They were listed late.", by=house.olivia
    )
    assert states() == ["failing"]
    boss = factories.make_user("boss")
    factories.give_role(boss, house.system, "officer")
    decide_disposition(explained, decision="accept", by=boss)
    assert states() == ["explained"]


def test_a_finding_is_an_item_with_its_risk_until_it_is_closed(house) -> None:
    """R36: due by its severity; what is asked of it stands in its log."""
    boss = factories.make_user("boss")
    factories.give_role(boss, house.system, "officer")
    finding = Finding.objects.get()
    plan = document(house, "oscal-poam")
    (item,), (risk,) = plan["poam-items"], plan["risks"]
    assert item["title"] == EVIL
    assert props(item)["control-id"] == "ac-1"
    assert [node["risk-uuid"] for node in item["related-risks"]] == [risk["uuid"]]
    assert (risk["status"], "risk-log" in risk) == ("open", False)
    due = due_day("moderate", finding.found_on)
    assert props(item)["due-on"] == str(due)
    assert risk["deadline"] == f"{due + everything.DAY}T00:00:00Z"
    deviation = request_disposition(
        finding, kind="risk-adjustment", text="Nobody reads it.", severity="low",
        by=house.olivia,
    )  # fmt: skip
    (risk,) = document(house, "oscal-poam")["risks"]
    assert risk["status"] == "deviation-requested"
    decide_disposition(deviation, decision="accept", by=boss)
    (risk,) = document(house, "oscal-poam")["risks"]
    assert risk["status"] == "deviation-approved"
    assert props(risk)["severity"] == "low"
    (entry,) = risk["risk-log"]["entries"]
    assert entry["description"] == "Nobody reads it."
    assert entry["remarks"].startswith("Accepted on ")


def test_without_a_finding_there_is_no_plan_of_action_and_why_is_said(house) -> None:
    export = request_export(
        house.system, by=house.ray, on=TODAY, format_name="oscal-poam",
        filters={"family": "pe"},
    )  # fmt: skip
    make_export(export.pk)
    export.refresh_from_db()
    assert export.state == "failed"
    assert export.failure.startswith("No finding of this system was recorded by then")


def test_names_stay_the_same_from_day_to_day_and_differ_between_systems(house) -> None:
    """A thing keeps its UUID; a document has another one for another day."""
    first = document(house, "oscal-ssp")
    Evidence.objects.update(title="Renamed")
    house.system.name = "Renamed"
    house.system.save()
    again = document(house, "oscal-ssp")
    assert first["uuid"] != again["uuid"]
    names, later = (set(map(str, values(plan, "uuid"))) for plan in (first, again))
    assert names - {first["uuid"]} == later - {again["uuid"]}


def test_people_and_programs_find_plain_names_on_the_page(house, client) -> None:
    client.force_login(house.ray)
    page = unescape(client.get("/exports/").content.decode())
    for name in ROOTS:
        assert FORMATS[name].title in page
    assert "OSCAL system security plan" in page
