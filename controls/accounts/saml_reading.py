"""What a SAML response says, read by a confined process; it is a stranger's (AZ-05).

Two judges have to agree. python3-saml holds the response against the schemas, its
signatures, times and addresses. Besides, what no real provider sends is refused
(`saml_document.py`), and the one assertion is taken out of the response, verified again
alone, and read from there: what lies around it (signature wrapping) is not looked at.

Imports what requirements-saml.txt lists, and neither Django nor settings.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import xmlsec
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from controls.accounts.saml_document import (
    DSIG,
    SAML,
    Declined,
    NotBelieved,
    only_assertion,
    parsed,
    require_plain_signatures,
    require_success,
)

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
CONDITIONS = {"AudienceRestriction", "OneTimeUse", "ProxyRestriction"}
CLOCKS_DIFFER_BY = 60  # seconds that a provider's clock may be ahead of ours
MAX_SUBJECT_LENGTH = 191  # characters, of the column


def answer_response(body: BinaryIO, answer: BinaryIO, trust: dict[str, Any]) -> None:
    """Write what the assertion says as JSON, or `refused` or `declined` with a reason.

    `trust` is who is believed, as `controls.accounts.assertions` passes it.
    """
    try:
        facts = _read(body.read(), trust)
    except NotBelieved as refusal:
        facts = {"refused": str(refusal)}
    except Declined as status:
        facts = {"declined": str(status)}
    answer.write(json.dumps(facts).encode())


def _read(text: bytes, trust: dict[str, Any]) -> dict[str, Any]:
    response = parsed(text)
    require_success(response)
    assertion = only_assertion(response)
    require_plain_signatures(response, assertion, trust)
    if response.get("Destination") != trust["address"]:
        raise NotBelieved("The response was sent to another address.")
    _require_second_opinion(response, trust)
    alone = _verified_alone(assertion, trust["certificates"])
    request_id = _require_for_us(alone, trust)
    if response.get("InResponseTo") != request_id:
        raise NotBelieved("Response and assertion answer different requests.")
    attributes = _attributes(alone)
    return {
        "assertion": alone.get("ID"),
        "in_response_to": request_id,
        "ends_at": _end(alone),
        "subject": _subject(alone, attributes, trust),
        "attributes": attributes,
        "contexts": [
            (element.text or "").strip()
            for element in alone.iter(f"{SAML}AuthnContextClassRef")
        ],
    }


# --- the two judges -----------------------------------------------------------------


def _require_second_opinion(response: Any, trust: dict[str, Any]) -> None:
    """python3-saml believes the response too, by our clock and our addresses."""
    # This process reads one response and ends: its library's clock is ours to set.
    OneLogin_Saml2_Utils.now = staticmethod(lambda: int(trust["now"]))
    OneLogin_Saml2_Constants.ALLOWED_CLOCK_DRIFT = CLOCKS_DIFFER_BY
    settings = OneLogin_Saml2_Settings(_library_settings(trust))
    here = urlsplit(trust["address"])
    visited = {
        "https": "on" if here.scheme == "https" else "off",
        "http_host": here.netloc,
        "script_name": here.path,
        "get_data": {},
        "post_data": {},
    }
    text = base64.b64encode(etree.tostring(response)).decode()
    judged = OneLogin_Saml2_Response(settings, text)
    if not judged.is_valid(visited):
        raise NotBelieved(str(judged.get_error())[:200])


def _library_settings(trust: dict[str, Any]) -> dict[str, Any]:
    certificates = list(trust["certificates"])
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": trust["audience"],
            "assertionConsumerService": {"url": trust["address"]},
        },
        "idp": {
            "entityId": trust["issuer"],
            "singleSignOnService": {"url": trust["sso_url"]},
            "x509certMulti": {"signing": certificates, "encryption": certificates[:1]},
        },
        "security": {
            "wantAssertionsSigned": True,
            "wantMessagesSigned": trust["signed_responses"],
            "wantNameId": not trust["subject_attribute"],
            "wantAttributeStatement": False,
            "allowRepeatAttributeName": True,
            "rejectDeprecatedAlgorithm": True,
            "requestedAuthnContext": False,
            "allowSingleLabelDomains": True,
        },
    }


def _verified_alone(assertion: Any, certificates: list[str]) -> Any:
    """The assertion as a document of its own, signed by a key that the settings name.

    Its signature can only be about the one element there is. What the message itself
    says about keys is taken off first.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    alone = etree.fromstring(etree.tostring(assertion, with_tail=False), parser)
    (signature,) = alone.findall(f"{DSIG}Signature")
    for named in signature.findall(f"{DSIG}KeyInfo"):
        signature.remove(named)
    xmlsec.tree.add_ids(alone, ["ID"])
    for certificate in certificates:
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(
            certificate, xmlsec.constants.KeyDataFormatCertPem, None
        )
        try:
            context.verify(signature)
        except xmlsec.Error:
            continue
        return alone
    raise NotBelieved("The assertion is not signed by the key of the provider.")


# --- what the assertion says ----------------------------------------------------------


def _require_for_us(alone: Any, trust: dict[str, Any]) -> str:
    """Made by our provider, for us, for now; the id of the request that it answers."""
    if [_text(one) for one in alone.findall(f"{SAML}Issuer")] != [trust["issuer"]]:
        raise NotBelieved("Somebody else made the assertion.")
    conditions = alone.findall(f"{SAML}Conditions")
    if len(conditions) != 1:
        raise NotBelieved("The assertion has no one set of conditions.")
    if any(etree.QName(one).localname not in CONDITIONS for one in conditions[0]):
        raise NotBelieved("The assertion has a condition that nobody here knows.")
    _require_now(conditions[0], trust["now"])
    restrictions = conditions[0].findall(f"{SAML}AudienceRestriction")
    audiences = [[_text(one) for one in made_for] for made_for in restrictions]
    if not audiences or not all(trust["audience"] in names for names in audiences):
        raise NotBelieved("The assertion was made for another audience.")
    statements = alone.findall(f"{SAML}AuthnStatement")
    if len(statements) != 1:
        raise NotBelieved("The assertion does not say how somebody signed in.")
    ends = statements[0].get("SessionNotOnOrAfter")
    if ends and _instant(ends) <= trust["now"]:
        raise NotBelieved("The session at the provider has ended.")
    confirmation = _confirmation(alone)
    if confirmation.get("Recipient") != trust["address"]:
        raise NotBelieved("The assertion was made for another address.")
    if not confirmation.get("NotOnOrAfter"):
        raise NotBelieved("The assertion has no end.")
    _require_now(confirmation, trust["now"])
    request_id = confirmation.get("InResponseTo")
    if not request_id:
        raise NotBelieved("Nobody here asked for this assertion.")
    return str(request_id)


def _confirmation(alone: Any) -> Any:
    data = alone.findall(
        f"{SAML}Subject/{SAML}SubjectConfirmation[@Method='{BEARER}']"
        f"/{SAML}SubjectConfirmationData"
    )
    if len(data) != 1:
        raise NotBelieved("The assertion has no one confirmation for its bearer.")
    return data[0]


def _require_now(element: Any, now: float) -> None:
    begins, ends = element.get("NotBefore"), element.get("NotOnOrAfter")
    if begins and _instant(begins) > now + CLOCKS_DIFFER_BY:
        raise NotBelieved("The assertion is not valid yet.")
    if ends and _instant(ends) <= now:
        raise NotBelieved("The assertion is over.")


def _end(alone: Any) -> float:
    """The latest end that any part of it names: so long it must not be used again."""
    ends = [one.get("NotOnOrAfter") for one in alone.iter() if one.get("NotOnOrAfter")]
    return max(_instant(end) for end in ends)


def _instant(text: str) -> float:
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise NotBelieved(f"{text[:40]!r} is no instant.") from None
    if instant.tzinfo is None:
        raise NotBelieved(f"{text[:40]!r} has no time zone.")
    return instant.timestamp()


def _attributes(alone: Any) -> dict[str, list[str]]:
    """Values that are text, by the name of their attribute."""
    values: dict[str, list[str]] = {}
    for attribute in alone.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute"):
        texts = [_text(one) for one in attribute if len(one) == 0]
        values.setdefault(attribute.get("Name"), []).extend(filter(None, texts))
    return values


def _subject(
    alone: Any, attributes: dict[str, list[str]], trust: dict[str, Any]
) -> str:
    """Who it is about: the NameID, or the attribute that the settings name."""
    if trust["subject_attribute"]:
        names = attributes.get(trust["subject_attribute"], [])
    else:
        elements = alone.findall(f"{SAML}Subject/{SAML}NameID")
        for element in elements:
            if element.get("Format") != trust["name_id_format"]:
                raise NotBelieved(f"The NameID is a {element.get('Format')}.")
            for name, owner in (
                ("NameQualifier", trust["issuer"]),
                ("SPNameQualifier", trust["audience"]),
            ):
                if element.get(name) not in {None, owner}:
                    raise NotBelieved("The NameID is of another directory.")
        names = [_text(element) for element in elements]
    if len(names) != 1 or not names[0]:
        raise NotBelieved("The assertion does not say who it is about.")
    if len(names[0]) > MAX_SUBJECT_LENGTH:
        raise NotBelieved("The subject is too long to be kept.")
    return names[0]


def _text(element: Any) -> str:
    if len(element):
        raise NotBelieved("There are elements where a text belongs.")
    return (element.text or "").strip()
