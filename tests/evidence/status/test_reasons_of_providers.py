"""What is said of reports that do not count, beside those that do. Pure."""

from __future__ import annotations

from dataclasses import replace

from evidence.status.aws_half import aws_half
from evidence.status.coverage import days_of
from tests.evidence.scenarios.providers import codes, days
from tests.evidence.status.neutral import letter_facts
from tests.evidence.status.scenarios import EC2, SITE, D, report, soc2

OLD = report(D(2025, 10, 1), D(2026, 3, 31))
NEW = report(D(2026, 4, 1), D(2026, 9, 30))
REFUSED = replace(NEW, reliance="do-not-rely")
UNREAD = replace(NEW, reliance=None)
GONE = replace(NEW, state="withdrawn", revoked_on=D(2026, 11, 2))


def other(version, **changes):  # type: ignore[no-untyped-def]
    """The same report in a series of its own."""
    return replace(version, series="other", artifact="AWS C5", **changes)


def half(*versions, day):  # type: ignore[no-untyped-def]
    return aws_half(soc2(*versions, needed=(EC2,)), day)


def test_a_newest_report_not_relied_on_is_named_and_ends_currency():
    """R22: beyond the old report's period and letter nothing is current any more."""
    letter = letter_facts(D(2026, 5, 15), D(2026, 4, 1), D(2026, 5, 15), "accepted")
    lettered = replace(OLD, letters=(letter,))
    day = D(2026, 6, 20)
    assert half(lettered, day=day).state == "expiring"
    found = half(lettered, REFUSED, day=day)
    assert (found.state, found.until) == ("lapsed", D(2026, 5, 15))
    assert codes(found.reasons) == {"report_lapsed", "not_relied_on"}
    found = half(lettered, REFUSED, day=D(2026, 4, 10))
    assert found.state == "proven"
    assert "not_relied_on" in codes(found.reasons)
    # Without a letter currency ends with the report's own period.
    assert half(OLD, REFUSED, day=D(2026, 4, 10)).until == D(2026, 3, 31)
    # A newer one that is relied on brings currency back.
    newest = report(D(2026, 10, 1), D(2026, 10, 31))
    assert half(OLD, REFUSED, newest, day=D(2026, 11, 2)).state == "proven"


def test_withdrawing_a_refused_report_brings_no_currency_back():
    """R22, R32: who keeps the register says alone that an auditor withdrew a report;
    by that nothing is current again which a reviewer ended."""
    day = D(2026, 4, 10)
    refused, gone = REFUSED, replace(GONE, reliance="do-not-rely")
    for newest in (refused, gone):
        assert half(OLD, newest, day=day).state == "lapsed"
        facts = soc2(OLD, newest, needed=(EC2,))
        running = days_of(EC2, facts, D(2026, 1, 1), D(2026, 5, 31), running=True)
        assert days(running) == (90, 0, 0, 61)


def test_a_refused_report_awaits_nothing():
    """R21, R22: days after the old report are open, not awaited."""
    facts = soc2(OLD, REFUSED, needed=(EC2,))
    start, today = D(2026, 1, 1), D(2026, 5, 31)
    running = days_of(EC2, facts, start, today, running=True)
    assert days(running) == (90, 0, 0, 61)
    facts = soc2(OLD, UNREAD, needed=(EC2,))
    running = days_of(EC2, facts, start, today, running=True)
    assert days(running) == (90, 0, 61, 0)
    assert days(days_of(EC2, facts, start, today)) == (90, 0, 0, 61)


def test_a_report_withdrawn_by_its_auditor_covers_nothing():
    """R20: none of its days, nor those of its letters; the older one goes on."""
    letter = letter_facts(D(2026, 10, 30), D(2026, 10, 1), D(2026, 10, 30), "accepted")
    gone = replace(GONE, letters=(letter,))
    facts = soc2(OLD, gone, needed=(EC2,))
    counted = days_of(EC2, facts, D(2026, 1, 1), D(2026, 10, 31))
    assert days(counted) == (90, 0, 0, 214)
    found = half(gone, day=D(2026, 8, 1))
    assert (found.state, codes(found.reasons)) == ("missing", {"report_withdrawn"})
    found = half(OLD, gone, day=D(2026, 5, 1))
    assert found.state == "proven"
    assert codes(found.reasons) == {"report_withdrawn"}
    found = half(OLD, gone, day=D(2026, 8, 1))
    assert found.state == "lapsed"
    assert codes(found.reasons) == {"report_lapsed", "report_withdrawn"}


def test_an_unread_report_hides_nothing_that_fails():
    """R24: what only waits never hides what lapsed, was refused or is out of scope."""
    day = D(2026, 11, 20)
    elsewhere = frozenset({"eu-west-1"})
    for failing, code in (
        (other(OLD), "report_lapsed"),
        (other(REFUSED), "not_relied_on"),
        (other(NEW, regions_in_scope=elsewhere), "region_out_of_scope"),
        (other(GONE), "report_withdrawn"),
    ):
        found = half(UNREAD, failing, day=day)
        assert found.state == "pending", code
        assert codes(found.reasons) == {"reliance_pending", code}
    # Within one series as well.
    found = half(UNREAD, replace(OLD, reliance="do-not-rely"), day=day)
    assert codes(found.reasons) == {"reliance_pending", "not_relied_on"}


def test_on_a_proven_half_only_a_newest_report_that_counts_not_is_named():
    """R24: what is out of scope or lapsed elsewhere is no news where it is proven."""
    day = D(2026, 11, 20)
    elsewhere = frozenset({"eu-west-1"})
    found = half(
        NEW, other(OLD), other(NEW, uuid="e", regions_in_scope=elsewhere), day=day
    )
    assert (found.state, found.reasons) == ("proven", ())
    assert codes(half(NEW, other(REFUSED), day=day).reasons) == {"not_relied_on"}
    assert codes(half(NEW, other(GONE), day=day).reasons) == {"report_withdrawn"}


def test_a_citation_that_waits_is_pending_and_hides_nothing():
    """R24: it proves no day; what fails besides is named."""
    day = D(2026, 11, 20)
    waiting = replace(NEW, citation="waiting")
    found = half(waiting, day=day)
    assert (found.state, codes(found.reasons)) == ("pending", {"citation_pending"})
    found = half(waiting, other(OLD), day=day)
    assert codes(found.reasons) == {"citation_pending", "report_lapsed"}
    assert half(replace(OLD, citation="waiting"), day=day).state == "lapsed"
    counted = days_of(EC2, soc2(waiting, needed=(EC2,)), D(2026, 4, 1), D(2026, 9, 30))
    assert days(counted) == (0, 0, 0, 183)


def test_of_two_reports_that_end_on_one_day_either_ones_letter_counts():
    """R21: the series is current by whichever letter reaches further."""
    letter = letter_facts(D(2026, 6, 30), D(2026, 4, 1), D(2026, 6, 30), "accepted")
    twin = replace(OLD, uuid="twin", label="restated", letters=(letter,))
    for pair in ((OLD, twin), (twin, OLD)):
        found = half(*pair, day=D(2026, 6, 30))
        assert found.until == D(2026, 6, 30)
        counted = days_of(
            EC2, soc2(*pair, needed=(EC2,)), D(2026, 1, 1), D(2026, 6, 30)
        )
        assert days(counted) == (90, 91, 0, 0)


def test_a_letter_reaches_three_months_at_most():
    """R21: what it says beyond is stored, flagged and open."""
    letter = letter_facts(D(2026, 8, 31), D(2026, 4, 1), D(2026, 8, 31), "accepted")
    lettered = replace(OLD, letters=(letter,))
    counted = days_of(EC2, soc2(lettered, needed=(EC2,)), D(2026, 4, 1), D(2026, 8, 31))
    assert days(counted) == (0, 91, 0, 62)
    assert "letter_beyond_issue" in codes(half(lettered, day=D(2026, 6, 1)).reasons)


def test_a_site_by_region_is_never_proven_without_one():
    """R20: a report of every region says nothing of a service that is nowhere."""
    everywhere = replace(NEW, regions_in_scope=frozenset({"*"}))
    nowhere = replace(SITE, regions=())
    found = aws_half(soc2(everywhere, needed=(nowhere,)), D(2026, 11, 20))
    assert (found.state, codes(found.reasons)) == ("missing", {"region_unknown"})
