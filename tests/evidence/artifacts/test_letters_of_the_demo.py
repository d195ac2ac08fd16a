"""The demo has accepted letters and one that waits, on whatever day it is loaded."""

from __future__ import annotations

import datetime as dt

import pytest

from evidence.demo.company import aws_documents

DAY = dt.timedelta(days=1)
DAYS = [dt.date(2026, 1, 1) + DAY * 7 * week for week in range(53)]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_letters_follow_the_review_and_one_waits(today: dt.date) -> None:
    reports = [report for series in aws_documents(today) for report in series.reports]
    letters = [(report, letter) for report in reports for letter in report.letters]
    for report, letter in letters:
        assert report.ends is not None
        assert report.ends < letter.issued_on <= letter.recorded <= today
        # Reviewed on the afternoon after it was recorded, the letter from then on.
        assert letter.recorded > report.recorded + DAY
        if letter.accepted_on:
            assert letter.recorded < letter.accepted_on <= today
    waiting = [letter for _, letter in letters if letter.accepted_on is None]
    assert len(waiting) == 1
    assert len(letters) > 1
