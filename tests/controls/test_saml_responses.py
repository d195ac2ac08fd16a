"""AZ-05: which responses of a SAML provider are believed, each spoilt in one way.

A confined process reads them; what it says is held here, beside the two judges it has.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from controls import clock
from controls.accounts import assertions
from controls.accounts.assertions import (
    Assertion,
    ResponseRefused,
    SignInDeclined,
    TooManyAtATime,
    Trust,
    read_response,
)
from controls.accounts.saml_document import NotBelieved
from controls.accounts.saml_reading import _require_second_opinion, _verified_alone
from tests.saml_provider import (
    ISSUER,
    PERSISTENT,
    SIGN_IN,
    SPACES,
    SamlProviderOfTests,
    assertion_of,
    packed,
    signature_of,
    stamp,
    tag,
    wrapped,
)

HERE = "https://srm.example.org/accounts/sign-on/saml/"
US = f"{HERE}metadata/"
PROVIDER = SamlProviderOfTests(HERE, US)
ANOTHER = SamlProviderOfTests(HERE, US)  # with another key
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"


def trust(**changed: Any) -> Trust:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "sso_url": SIGN_IN,
        "certificates": (PROVIDER.certificate,),
        "address": HERE,
        "audience": US,
        "name_id_format": PERSISTENT,
        "subject_attribute": "",
        "signed_responses": False,
    }
    return Trust(**facts | changed)


def made(subject: str = "4711", **changed: str) -> Any:
    return PROVIDER.response("_asked", subject, {"groups": ["a", "b"]}, **changed)


def read(response: Any, **changed: Any) -> Assertion:
    return read_response(packed(response), trust(**changed), now=clock.now())


def text_of(response: Any) -> bytes:
    return etree.tostring(response)


def test_what_holds_is_believed() -> None:
    assertion = read(PROVIDER.signed(made()))
    assert (assertion.subject, assertion.in_response_to) == ("4711", "_asked")
    assert assertion.attributes == {"groups": ["a", "b"]}
    assert assertion.contexts == [
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    ]
    for how in ({"whole": True}, {"digest": "sha512"}):
        assert read(PROVIDER.signed(made(), **how)).subject == "4711"
    whole = PROVIDER.signed(made(), whole=True)
    assert read(whole, signed_responses=True).subject == "4711"
    declared = b"<?xml version='1.0' encoding='UTF-8'?>\n" + text_of(
        PROVIDER.signed(made())
    )
    assert read(declared).subject == "4711"
    # two certificates while the provider changes its key
    both = (ANOTHER.certificate, PROVIDER.certificate)
    assert read(PROVIDER.signed(made()), certificates=both).subject == "4711"
    # a clock that is a little ahead of ours
    assert read(PROVIDER.signed(made(begins=stamp(30)))).subject == "4711"


SPOILT: dict[str, tuple[Callable[[], Any], str]] = {
    "unsigned": (made, "assertion is not signed"),
    "signed by another key": (lambda: ANOTHER.signed(made()), "Signature validation"),
    "only the response is signed": (lambda: response_only(), "assertion is not signed"),
    "SHA-1": (lambda: PROVIDER.signed(made(), digest="sha1"), "SignatureMethod"),
    "SHA-1 of what is signed": (
        lambda: PROVIDER.signed(made(), digest="sha1", method="sha256"),
        "DigestMethod",
    ),
    "changed afterwards": (
        lambda: text_of(PROVIDER.signed(made())).replace(b">4711<", b">0815<"),
        "Signature validation",
    ),
    "another audience": (
        lambda: PROVIDER.signed(made(audience="https://other.example")),
        "not a valid audience",
    ),
    "our name as a part": (
        lambda: PROVIDER.signed(made(audience=f"{US}x")),
        "not a valid audience",
    ),
    "no audience": (lambda: without("AudienceRestriction"), "another audience"),
    "another recipient": (
        lambda: PROVIDER.signed(made(recipient="https://other.example/")),
        "SubjectConfirmation",
    ),
    "our address as a part": (
        lambda: PROVIDER.signed(made(recipient=f"https://evil.test/?{HERE}")),
        "another address",
    ),
    "another destination": (
        lambda: PROVIDER.signed(made(destination="https://other.example/")),
        "another address",
    ),
    "a longer destination": (
        lambda: PROVIDER.signed(made(destination=f"{HERE}back/")),
        "another address",
    ),
    "expired": (lambda: PROVIDER.signed(made(ends=stamp(-1))), "SubjectConfirmation"),
    "not yet valid": (lambda: PROVIDER.signed(made(begins=stamp(90))), "not yet valid"),
    "no end": (lambda: without_end(), "no end"),
    "no conditions": (lambda: without("Conditions"), "Conditions"),
    "no statement": (lambda: without("AuthnStatement"), "AuthnStatement"),
    "another issuer": (
        lambda: PROVIDER.signed(made(issuer="https://evil.test/")),
        "Invalid issuer",
    ),
    "another request confirmed": (
        lambda: PROVIDER.signed(made(confirmed="_other")),
        "SubjectConfirmation",
    ),
    "nobody asked": (lambda: unasked(), "Nobody here asked"),
    "an address for a name": (
        lambda: PROVIDER.signed(made("alice@example.test", format=EMAIL)),
        "The NameID is a",
    ),
    "a name for once": (
        lambda: PROVIDER.signed(made(format=TRANSIENT)),
        "The NameID is a",
    ),
    "no name": (lambda: PROVIDER.signed(made("")), "empty|who it is about"),
    "a long name": (lambda: PROVIDER.signed(made("4" * 192)), "too long"),
    "a comment in the name": (
        lambda: text_of(PROVIDER.signed(made("admin@example.test.evil.test"))).replace(
            b"example.test.evil", b"example.test<!---->.evil"
        ),
        "a comment",
    ),
    "a DTD": (
        lambda: b"<!DOCTYPE Response>" + text_of(PROVIDER.signed(made())),
        "a DTD",
    ),
    "an entity": (
        lambda: (
            b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            + text_of(PROVIDER.signed(made())).replace(b">4711<", b">&x;<")
        ),
        "a DTD",
    ),
    "an instruction": (
        lambda: text_of(PROVIDER.signed(made())).replace(b">4711<", b">47<?x?>11<"),
        "a comment or the like",
    ),
    "another encoding": (
        lambda: text_of(PROVIDER.signed(made())).decode().encode("utf-16"),
        "not UTF-8",
    ),
    "two assertions": (lambda: two_signed(), "exactly one assertion"),
    "encrypted": (lambda: encrypted(), "Encrypted"),
    "the same ID twice": (lambda: same_id_twice(), "same ID"),
    "a filter in the signature": (lambda: filtered(), "transforms"),
    "an object in the signature": (lambda: with_object(), "carries something"),
    "no response": (lambda: text_of(assertion_of(made())), "no response"),
    "no XML": (lambda: b"{}", "well-formed"),
}


def response_only() -> Any:
    response = made()
    PROVIDER.sign(response)
    return response


def without(name: str) -> Any:
    response = made()
    element = response.find(f".//a:{name}", SPACES)
    element.getparent().remove(element)
    return PROVIDER.signed(response)


def without_end() -> Any:
    response = made()
    del response.find(".//a:SubjectConfirmationData", SPACES).attrib["NotOnOrAfter"]
    return PROVIDER.signed(response)


def unasked() -> Any:
    """As a provider sends it that begins by itself."""
    response = made()
    del response.attrib["InResponseTo"]
    del response.find(".//a:SubjectConfirmationData", SPACES).attrib["InResponseTo"]
    return PROVIDER.signed(response)


def two_signed() -> Any:
    response = PROVIDER.signed(made())
    response.append(assertion_of(PROVIDER.signed(made("0815"))))
    return response


def encrypted() -> Any:
    response = PROVIDER.signed(made())
    etree.SubElement(response, tag("a", "EncryptedAssertion"))
    return response


def same_id_twice() -> Any:
    response = PROVIDER.signed(made())
    response.set("ID", assertion_of(response).get("ID"))
    return response


def filtered() -> Any:
    response = PROVIDER.signed(made())
    transform = response.find(".//ds:Transform", SPACES)
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    return response


def with_object() -> Any:
    response = PROVIDER.signed(made())
    signature = signature_of(assertion_of(response))
    etree.SubElement(signature, tag("ds", "Object"))
    return response


@pytest.mark.parametrize("name", SPOILT)
def test_what_does_not_hold_is_not_believed(name: str) -> None:
    spoil, why = SPOILT[name]
    with pytest.raises(ResponseRefused, match=why):
        read(spoil())


def test_a_response_has_to_be_signed_where_the_setting_says_so() -> None:
    with pytest.raises(ResponseRefused, match="itself is not signed"):
        read(PROVIDER.signed(made()), signed_responses=True)
    both = PROVIDER.signed(made())
    ANOTHER.sign(both)
    with pytest.raises(ResponseRefused, match="Signature validation"):
        read(etree.fromstring(etree.tostring(both)))


@pytest.mark.parametrize("kind", range(1, 9))
def test_what_is_wrapped_around_a_signature_is_not_believed(kind: int) -> None:
    """XSW1 to XSW8. Each judge alone refuses to read the name that was put there."""
    signed = PROVIDER.signed(made(), whole=True)
    for same_id in (False, True):
        response = wrapped(signed, kind, "0815", same_id=same_id)
        assert b"0815" in text_of(response)
        with pytest.raises(ResponseRefused, match="exactly one assertion"):
            read(response)
        arguments = dataclasses.asdict(trust()) | {"now": clock.now().timestamp()}
        with pytest.raises(NotBelieved):
            _require_second_opinion(response, arguments)
        for assertion in response.iter(tag("a", "Assertion")):
            try:
                alone = _verified_alone(assertion, [PROVIDER.certificate])
            except (NotBelieved, ValueError):
                continue
            names = [name.text for name in alone.iter(tag("a", "NameID"))]
            assert names == ["4711"]


def test_a_provider_that_declines_is_no_attack() -> None:
    status = "urn:oasis:names:tc:SAML:2.0:status:Requester"
    with pytest.raises(SignInDeclined, match="Requester"):
        read(made(status=status))


def test_few_are_read_at_a_time_and_none_that_is_long(monkeypatch) -> None:
    with pytest.raises(ResponseRefused, match="too long"):
        read(b"x" * 150_001)
    with pytest.raises(ResponseRefused, match="base64"):
        read_response("=?", trust(), now=clock.now())
    deep = base64.b64encode(b"<a>" * 40_000).decode()
    with pytest.raises(ResponseRefused):
        read_response(deep, trust(), now=clock.now())
    monkeypatch.setattr(assertions, "PATIENCE", 0)
    for _ in range(assertions.MAX_AT_A_TIME):
        assertions.PLACES.acquire()
    try:
        with pytest.raises(TooManyAtATime):
            read(PROVIDER.signed(made()))
    finally:
        assertions.PLACES.release(assertions.MAX_AT_A_TIME)
