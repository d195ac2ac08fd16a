"""R23, R24: what an account uses, by AWS's own tools, is held against a system and
accepted line by line from a day; nothing is written before, and each preview once."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient

from controls.models import AuditEvent, SystemComponent
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
CONFIG = json.dumps(
    {
        "totalDiscoveredResources": 9,
        "resourceCounts": [
            {"resourceType": "AWS::SQS::Queue", "count": 5},
            {"resourceType": "AWS::EC2::Volume", "count": 3},
            {"resourceType": "AWS::EC2::Subnet", "count": 1},
            {"resourceType": "AWS::SNS::Topic", "count": 0},
            {"resourceType": "AWS::Unheard::Of", "count": 1},
        ],
    }
)
EXPLORER = (
    "\ufeffIdentifier,Service,Resource type,Region,AWS Account\n"
    "q1,sqs,sqs:queue,us-east-1,111122223333\n"
    "q2,sqs,sqs:queue,eu-west-1,111122223333\n"
    "v1,ec2,ec2:volume,us-east-1,111122223333\n"
    "n1,ec2,ec2:subnet,us-east-1,111122223333\n"
    "x1,odd,odd:thing,us-east-1,111122223333\n"
)
COSTS = (
    "identity/LineItemId,lineItem/ProductCode,product/regionCode,lineItem/BlendedCost\n"
    "1,AmazonSQS,us-east-1,0.10\n"
    "2,awskms,us-east-1,0.10\n"
    "3,AWSLambda,us-gov-west-1,0.10\n"
)
COST_EXPLORER = (
    '"Service","SQS($)","EC2-Other($)","SNS($)","Tax($)","Total costs($)"\n'
    '"Service total","12.5","3.0","0.0","1","15.5"\n'
    '"2026-10-01","12.5","3.0","","1","15.5"\n'
)


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


def send(client, house, **sent):
    url = reverse("evidence:discovery", args=[house.system.slug])
    return client.post(url, sent)


def accept(client, house, token, **ticked):
    url = reverse("evidence:discovery_accept", args=[house.system.slug])
    return client.post(url, {"token": token, "from_day": str(TODAY)} | ticked)


def named(discovery) -> dict[str, tuple[str, ...]]:
    """What was seen, by slug, whether the system names it or not."""
    seen = {use.service.slug: tuple(sorted(use.regions)) for use in discovery.agreed}
    return seen | {
        new.use.service.slug: tuple(sorted(new.use.regions))
        for new in discovery.missing
    }


@pytest.mark.parametrize(
    ("name", "content", "uses", "unknown"),
    [
        (
            "counts.json",
            CONFIG,
            {"sqs": (), "ebs": (), "vpc": ()},
            ["AWS::Unheard::Of"],
        ),
        (
            "resources.csv",
            EXPLORER,
            {
                "sqs": ("eu-west-1", "us-east-1"),
                "ebs": ("us-east-1",),
                "vpc": ("us-east-1",),
            },
            ["odd:thing"],
        ),
        (
            "costs.csv",
            COSTS,
            {
                "sqs": ("us-east-1",),
                "kms": ("us-east-1",),
                "lambda": ("us-gov-west-1",),
            },
            [],
        ),
        ("explorer.csv", COST_EXPLORER, {"sqs": (), "ec2": ()}, []),
        ("plain.csv", "Amazon SQS\nNothing known\n", {"sqs": ()}, ["Nothing known"]),
    ],
)
def test_what_the_tools_of_aws_say(client, house, name, content, uses, unknown):
    client.force_login(house.olivia)
    before = SystemComponent.objects.count()
    shown = send(client, house, file=SimpleUploadedFile(name, content.encode()))
    assert shown.status_code == 200, shown.content.decode()
    discovery = shown.context["discovery"]
    assert named(discovery) == uses
    assert [each.text for each in discovery.unknown] == unknown
    assert SystemComponent.objects.count() == before


def test_lines_are_accepted_once_from_a_day(client, house):
    client.force_login(house.olivia)
    unseen = list(house.system.components.select_related("variant__service"))
    shown = send(client, house, file=SimpleUploadedFile("x.csv", EXPLORER.encode()))
    discovery = shown.context["discovery"]
    assert {new.use.service.slug for new in discovery.missing} >= {"sqs"}
    ended = discovery.unseen[0]
    assert ended in unseen
    kept = house.system.components.exclude(pk=ended.pk).count()
    token = shown.context["token"]
    for _ in range(2):
        answer = accept(client, house, token, add=["sqs"], end=[str(ended.uuid)])
        assert answer.status_code == 302
    # other lines of the same preview are not the same act: nobody is told they were
    others = accept(client, house, token, add=["sqs"])
    assert others.status_code == 422
    assert "confirmed before, with other lines" in others.content.decode()
    sqs = house.system.components.get(variant__service__slug="sqs")
    assert sqs.used_from == TODAY
    assert sqs.regions == ["eu-west-1", "us-east-1"]
    assert sqs.variant.is_default
    ended.refresh_from_db()
    assert ended.used_until == TODAY
    assert house.system.components.exclude(pk=ended.pk).count() == kept + 1
    events = AuditEvent.objects.filter(verb__in=["component.added", "component.ended"])
    assert sorted(events.values_list("verb", flat=True)) == [
        "component.added",
        "component.ended",
    ]
    again = send(client, house, file=SimpleUploadedFile("x.csv", EXPLORER.encode()))
    slugs = {new.use.service.slug for new in again.context["discovery"].missing}
    assert "sqs" not in slugs


def test_a_line_that_was_not_offered_is_refused_with_all(client, house):
    client.force_login(house.olivia)
    token = send(client, house, text="Amazon SQS").context["token"]
    answer = accept(client, house, token, add=["sqs", "sns"])
    assert answer.status_code == 400
    assert "did not offer sns" in answer.content.decode()
    assert accept(client, house, token).status_code == 400
    assert not house.system.components.filter(variant__service__slug="sqs").exists()
    assert accept(client, house, token, add=["sqs"]).status_code == 302


def test_what_changed_since_is_looked_at_again(client, house):
    client.force_login(house.olivia)
    first = send(client, house, text="Amazon SQS").context["token"]
    second = send(client, house, text="Amazon SQS\nAmazon SNS").context["token"]
    assert accept(client, house, first, add=["sqs"]).status_code == 302
    assert accept(client, house, second, add=["sqs"]).status_code == 409
    assert house.system.components.filter(variant__service__slug="sqs").count() == 1


def test_days_before_today_are_not_ended_here(client, house):
    client.force_login(house.olivia)
    shown = send(client, house, text="Amazon SQS")
    uuid = str(shown.context["discovery"].unseen[0].uuid)
    token = shown.context["token"]
    early = str(TODAY - 5 * DAY)
    answer = accept(client, house, token, end=[uuid], add=["sqs"], from_day=early)
    assert answer.status_code == 400
    assert "alters days before today" in answer.content.decode()
    assert not house.system.components.filter(variant__service__slug="sqs").exists()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Paste a list or choose a file"),
        ({"text": "Nothing known"}, "names no service that we know"),
        ({"text": '{"resourceCounts": 3}'}, "has no list"),
        ({"text": '{"resourceCounts": [{}]}'}, "Entry 1"),
        ({"text": "[" * 100_000}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(client, house, sent, sentence):
    client.force_login(house.olivia)
    answer = send(client, house, **sent)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_only_officers(client, house):
    client.force_login(house.olivia)
    token = send(client, house, text="Amazon SQS").context["token"]
    for name in ("alice", "rita", "audrey"):
        client.force_login(house.people[name])
        assert send(client, house, text="Amazon SQS").status_code == 403
        assert accept(client, house, token, add=["sqs"]).status_code == 403
    client.force_login(house.mallory)
    assert send(client, house, text="Amazon SQS").status_code == 404


def test_over_the_api(house):
    client = APIClient()
    client.force_authenticate(house.olivia)
    base = f"/api/v1/systems/{house.system.slug}/account-uses/"
    body = client.post(base, {"text": "Amazon SQS\nxyzzy"}, format="json").json()
    assert body["missing"] == [{"service": "sqs", "regions": []}]
    assert body["unknown"] == ["xyzzy"]
    sent = {"token": body["token"], "from_day": str(TODAY), "add": ["sqs"]}
    made = client.post(f"{base}accept/", sent, format="json")
    assert (made.status_code, made.json()) == (201, {"components": 1})
