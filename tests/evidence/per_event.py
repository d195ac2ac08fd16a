"""Steps of the stories about what is asked per event: a list, a sample, proof."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from evidence.models import (
    Population,
    RequirementControl,
    SampleItem,
)
from evidence.status.control_status import control_statuses, window_of
from evidence.status.gather import Moment
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file
from tests.factories import set_terms

# The last quarter that had ended: populations are drawn for whole quarters (R16).
START = dt.date(2026, 7, 1)
END = dt.date(2026, 9, 30)


def build(settings, tmp_path: Path) -> House:
    """The company with its own store."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def made_per_event(house: House) -> RequirementControl:
    """What is asked for CM-8, made per event."""
    found = house.requirement()
    set_terms(
        RequirementControl.objects.filter(pk=found.pk),
        cadence="per-event",
        grace_days=10,
        title="Changes approved",
    )
    found.refresh_from_db()
    return found


def url(asked, end: str = "new/") -> str:
    return f"/requirements/{asked.uuid}/populations/{end}"


def listed(number: int = 10) -> bytes:
    lines = [f"CHG-{n},{START + dt.timedelta(days=n)},team {n}" for n in range(number)]
    return "\n".join(["Key,Day,Asked by", *lines]).encode()


def said(**more):
    return {
        "starts": START,
        "ends": END,
        "source": "Tickets",
        "query": "type = change",
        "completeness": "Numbers without gaps.",
    } | more


def bring(client, asked, **more) -> Population:
    """Preview and confirm; the newest population."""
    answer = client.post(url(asked), said(**more))
    assert answer.status_code == 200, answer.content.decode()
    token = answer.context["preview"].token
    confirmed = client.post(url(asked, "confirm/"), {"token": token})
    assert confirmed.status_code == 302, confirmed.content.decode()
    return Population.objects.with_state().latest("pk")


def judge(client, user, population, decision="accept", reason=""):
    client.force_login(user)
    to = f"/populations/{population.uuid}/judge/"
    # asked only of one drawn late, which depends on the day
    day = {"day_confirmed": "yes", "day_shown_by": "Stamp of the export"}
    return client.post(to, {"decision": decision, "reason": reason} | day)


def sample(client, user, population, **way):
    client.force_login(user)
    way = {"method": "random", "size": 3, "seed": "s", "reason": "Table"} | way
    return client.post(f"/populations/{population.uuid}/sample/", way)


def upload(client, user, asked, item: SampleItem):
    client.force_login(user)
    to = f"/systems/shop/requirements/{asked.uuid}/upload/?item={item.uuid}"
    fields = {
        "title": f"Approval of {item.item.key}",
        "performed_on": TODAY,
        "period_start": START,
        "period_end": TODAY,
        "collected_on": TODAY,
        "sensitivity": "internal",
        "files": [file("a.txt", item.item.key.encode())],
    }
    return client.post(to, fields)


def half(house, asked, **moment):
    moment = Moment(**{"on": TODAY} | moment)
    pks, window = [asked.implementation_id], window_of(house.system)
    (answer,) = control_statuses(house.system, moment, pks=pks, window=window)
    codes = {reason.code for reason in answer.status.reasons}
    return answer.status.customer_half, codes, answer.period
