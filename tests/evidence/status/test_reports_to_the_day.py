"""R20 to R24 where one condition decides: which report counts, to which day. Pure."""

from __future__ import annotations

from dataclasses import replace

from evidence.status.aws_half import aws_half
from evidence.status.coverage import days_of
from evidence.status.day import status
from evidence.status.facts import CarvedOutFacts
from tests.evidence.scenarios.providers import codes, days
from tests.evidence.status.neutral import (
    aws_facts,
    control_facts,
    letter_facts,
    needed_service,
)
from tests.evidence.status.scenarios import EC2, D, half, report, soc2

OLD = report(D(2025, 10, 1), D(2026, 3, 31))
NEW = report(D(2026, 4, 1), D(2026, 9, 30))
REFUSED = replace(NEW, reliance="do-not-rely")
LAST = D(2026, 12, 29)  # on which NEW is current: 90 days after its end
AUTUMN = D(2026, 11, 1)
AOC = report(
    D(2026, 1, 1),
    D(2026, 1, 1),
    kind="point",
    scheme="pci",
    series="pci",
    responsibility_summary=True,
)


def providers_half(*versions, day, needed=EC2):  # type: ignore[no-untyped-def]
    return aws_half(soc2(*versions, needed=(needed,)), day)


def test_r20_an_aoc_proves_nothing_where_pci_is_not_asked() -> None:
    assert half(soc2(AOC, needed=(EC2,)), D(2026, 6, 1)).aws_half == "missing"
    pci = replace(soc2(AOC, needed=(EC2,)), regime="pci")
    assert half(pci, D(2026, 6, 1)).aws_half == "proven"


def test_r9_a_need_that_names_a_report_takes_no_other() -> None:
    named = replace(EC2, slug="AWS SOC 2", scope="document", regions=())
    assert providers_half(NEW, day=AUTUMN, needed=named).state == "proven"
    other = replace(named, slug="AWS C5")
    judged = providers_half(NEW, day=AUTUMN, needed=other)
    assert (judged.state, codes(judged.reasons)) == ("missing", {"no_artifact"})


def test_r21_what_a_letter_asserts_ends_the_day_before_the_report_was_revoked() -> None:
    letter = letter_facts(D(2026, 6, 30), D(2026, 4, 1), D(2026, 6, 30), "accepted")
    gone = {"state": "revoked", "revoked_on": D(2026, 5, 11)}
    facts = soc2(replace(OLD, letters=(letter,), **gone), needed=(EC2,))
    spring = D(2026, 4, 1), D(2026, 6, 30)
    assert days(days_of(EC2, facts, *spring)) == (0, 40, 0, 51)


def test_r22_only_a_later_report_that_was_refused_ends_currency() -> None:
    twin = replace(NEW, uuid="twin", reliance="do-not-rely")
    judged = providers_half(NEW, twin, day=AUTUMN)
    assert (judged.state, judged.until) == ("proven", LAST)


def test_r24_a_report_of_the_same_end_is_no_newer_one() -> None:
    twin = replace(NEW, uuid="twin", reliance=None)
    assert providers_half(NEW, twin, day=AUTUMN).reasons == ()
    later = replace(twin, ends=D(2026, 10, 31))
    judged = providers_half(NEW, later, day=AUTUMN)
    assert codes(judged.reasons) == {"newer_version_unreviewed"}


def test_r22_what_was_refused_is_missing_and_waits_for_nobody() -> None:
    judged = providers_half(REFUSED, day=AUTUMN)
    assert (judged.state, codes(judged.reasons)) == ("missing", {"not_relied_on"})


def test_r24_an_exception_waits_to_the_last_day_of_the_report() -> None:
    open_one = replace(NEW, exceptions_open=1)
    judged = providers_half(open_one, day=LAST)
    assert (judged.state, codes(judged.reasons)) == (
        "pending",
        {"exception_unanswered"},
    )
    assert providers_half(open_one, day=LAST + (LAST - D(2026, 12, 28))).state == (
        "lapsed"
    )


def test_r20_an_organisation_that_runs_none_of_the_layers_is_not_waited_for() -> None:
    apart = CarvedOutFacts(
        "Edge", "edge", layers=frozenset({"facilities"}), standing="waiting"
    )
    carved = replace(NEW, carved_out=(apart,))
    servers = replace(EC2, layers=("guest-os",))
    assert providers_half(carved, day=AUTUMN, needed=servers).state == "proven"
    sites = replace(EC2, layers=("facilities",))
    judged = providers_half(carved, day=AUTUMN, needed=sites)
    assert codes(judged.reasons) == {"subservice_undecided"}


def test_r24_a_later_report_out_of_scope_is_no_news_of_a_proven_half() -> None:
    elsewhere = replace(
        NEW, uuid="e", ends=D(2026, 10, 31), regions_in_scope=frozenset({"eu-west-1"})
    )
    judged = providers_half(NEW, elsewhere, day=AUTUMN)
    assert (judged.state, judged.reasons) == ("proven", ())


def test_r24_of_two_series_that_wait_one_is_named() -> None:
    unread = replace(NEW, reliance=None)
    other = replace(unread, series="c5", scheme="c5", artifact="AWS C5")
    judged = providers_half(unread, other, day=AUTUMN)
    assert [reason.code for reason in judged.reasons] == ["reliance_pending"]
    excepted = replace(other, reliance="rely", exceptions_open=1)
    judged = providers_half(unread, excepted, day=AUTUMN)
    assert codes(judged.reasons) == {"reliance_pending"}


def test_r20_a_report_that_another_provider_withdrew_is_named_once() -> None:
    landlord = {"provider": "landlord", "provider_name": "Landlord"}
    site = needed_service(
        "cage", "component", D(2025, 1, 1), sites=("FRA1",), **landlord
    )
    theirs = {"provider": "landlord", "sites_in_scope": frozenset({"FRA1"})}
    old, gone = replace(OLD, **theirs), replace(NEW, **theirs, state="withdrawn")
    gone = replace(gone, revoked_on=D(2026, 5, 2))
    facts = aws_facts(needed=(site,), versions=(old, gone), regime="soc2")
    judged = aws_half(facts, D(2026, 5, 10))
    assert (judged.state, codes(judged.reasons)) == ("proven", {"report_withdrawn"})
    assert len(judged.reasons) == 1
    assert "Landlord" in judged.reasons[0].sentence


def test_r20_where_nothing_is_needed_only_what_proves_nothing_is_said_to_support() -> (
    None
):
    iso = report(
        D(2026, 1, 1), D(2028, 1, 1), kind="certificate", scheme="iso", series="iso"
    )
    for versions, code in (
        ((), "no_artifact"),
        ((iso,), "supporting_only"),
        ((iso, NEW), "no_artifact"),
    ):
        judged = aws_half(soc2(*versions, needed=()), AUTUMN)
        assert (judged.state, codes(judged.reasons)) == ("missing", {code})


def test_r1_a_control_that_nobody_classified_says_so() -> None:
    answer = status(control_facts("pe-3", "unclassified"), AUTUMN)
    assert "unclassified" in {reason.code for reason in answer.reasons}
