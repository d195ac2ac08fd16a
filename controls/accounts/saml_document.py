"""A SAML response as a document: one assertion, signed as a whole (AZ-05).

What no real identity provider sends is refused before any signature is looked at. Part
of a confined process: see `saml_reading.py`.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
PLAIN_CANON = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
# Made with a key pair, over SHA-2.
SIGNATURES = frozenset(
    f"{MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512)
)
DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        f"{MORE}sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*\?>")


class NotBelieved(Exception):
    """The response does not hold; says why, for the log."""


class Declined(Exception):
    """The provider answers that it signs nobody in."""


def parsed(text: bytes) -> Any:
    """The root; no DTD, entity, comment, CDATA or processing instruction is taken."""
    try:
        document = DECLARATION.sub("", text.decode("utf-8"), count=1)
    except UnicodeDecodeError:
        raise NotBelieved("The response is not UTF-8.") from None
    if "<!" in document or "<?" in document:
        raise NotBelieved("The response has a DTD, a comment or the like.")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(document.encode(), parser)
    except etree.XMLSyntaxError:
        raise NotBelieved("The response is not well-formed XML.") from None
    if root.tag != f"{PROTOCOL}Response" or root.get("Version") != "2.0":
        raise NotBelieved("This is no response of SAML 2.0.")
    return root


def require_success(response: Any) -> None:
    codes = response.findall(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    if len(codes) != 1:
        raise NotBelieved("The response has no one status.")
    if codes[0].get("Value") != SUCCESS:
        raise Declined(str(codes[0].get("Value"))[:200])


def only_assertion(response: Any) -> Any:
    """The assertion below the response; there is no other anywhere."""
    if next(response.iter(f"{SAML}EncryptedAssertion"), None) is not None:
        raise NotBelieved("Encrypted assertions are not taken.")
    assertions = list(response.iter(f"{SAML}Assertion"))
    if len(assertions) != 1 or assertions[0].getparent() is not response:
        raise NotBelieved("The response has not exactly one assertion.")
    if len(list(response.iter(f"{PROTOCOL}Response"))) != 1:
        raise NotBelieved("There is a response within the response.")
    ids = [
        value
        for element in response.iter()
        for name, value in element.attrib.items()
        if etree.QName(name).localname.lower() == "id"
    ]
    if len(ids) != len(set(ids)):
        raise NotBelieved("Two elements have the same ID.")
    return assertions[0]


def require_plain_signatures(
    response: Any, assertion: Any, trust: dict[str, Any]
) -> None:
    """The assertion is signed, the response may be (or has to), and nothing else is."""
    signatures = list(response.iter(f"{DSIG}Signature"))
    of_assertion = [one for one in signatures if one.getparent() is assertion]
    of_response = [one for one in signatures if one.getparent() is response]
    if len(of_assertion) != 1:
        raise NotBelieved("The assertion is not signed.")
    if len(of_response) > 1 or len(signatures) != 1 + len(of_response):
        raise NotBelieved("There is a signature where none belongs.")
    if trust["signed_responses"] and not of_response:
        raise NotBelieved("The response itself is not signed.")
    for signature in signatures:
        _require_plain_signature(signature)


def _require_plain_signature(signature: Any) -> None:
    """One reference, to the element it lies in, as a whole, by SHA-2."""
    if signature.find(f".//{DSIG}Object") is not None:
        raise NotBelieved("The signature carries something.")
    info = signature.findall(f"{DSIG}SignedInfo")
    references = list(signature.iter(f"{DSIG}Reference"))
    if len(info) != 1 or len(references) != 1:
        raise NotBelieved("The signature has not exactly one reference.")
    if references[0].getparent() is not info[0]:
        raise NotBelieved("The reference lies elsewhere.")
    own = signature.getparent().get("ID")
    if not own or references[0].get("URI") != f"#{own}":
        raise NotBelieved("The signature is about another element.")
    transforms = [one.get("Algorithm") for one in signature.iter(f"{DSIG}Transform")]
    if transforms != [ENVELOPED, PLAIN_CANON]:
        raise NotBelieved("The signature transforms what it signs.")
    named = {
        "CanonicalizationMethod": {PLAIN_CANON},
        "SignatureMethod": SIGNATURES,
        "DigestMethod": DIGESTS,
    }
    for name, taken in named.items():
        methods = [one.get("Algorithm") for one in signature.iter(f"{DSIG}{name}")]
        if len(methods) != 1 or methods[0] not in taken:
            raise NotBelieved(f"{name} is {methods}, which is not taken.")
