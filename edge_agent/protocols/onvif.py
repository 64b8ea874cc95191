"""What is asked of an ONVIF camera when it is set up, and what its answers say: SOAP 1.2 as bytes in, values out.

ONVIF Core 2.x: WS-Discovery over UDP 3702; WS-UsernameToken digest = base64(sha1(nonce + created + password)), where
`created` is the camera's time, not ours: a camera whose clock is off refuses a right password otherwise.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from edge_agent.errors import DecodeError

LONGEST: Final = 256 * 1024
"""Bytes of an answer that are read at most; cameras have sent without end."""
MULTICAST: Final = ("239.255.255.250", 3702)

_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"{more}>'
    "<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA: Final = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA: Final = "http://www.onvif.org/ver10/schema"
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity"

GET_TIME: Final = f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>'
GET_CAPABILITIES: Final = f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>'
GET_PROFILES: Final = f'<GetProfiles xmlns="{_MEDIA}"/>'


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that answered the call on the network."""

    addresses: tuple[str, ...]
    """Of its device service, as it says itself."""
    name: str
    hardware: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A stream that the camera offers."""

    token: str
    name: str
    codec: str
    width: int
    height: int
    fps: float


def envelope(body: str, header: str = "") -> bytes:
    """A request. `body` and `header` are XML."""
    return _ENVELOPE.format(header=header, body=body, more="").encode()


def get_stream_uri(token: str) -> str:
    """The body that asks where a profile's stream is to be had by RTSP."""
    return (
        f'<GetStreamUri xmlns="{_MEDIA}"><StreamSetup><Stream xmlns="{_SCHEMA}">RTP-Unicast</Stream>'
        f'<Transport xmlns="{_SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
        f"<ProfileToken>{escape(token)}</ProfileToken></GetStreamUri>"
    )


def username_token(user: str, password: str, nonce: bytes, created: datetime) -> str:
    """The header by which a user is known; `created` is aware and by the camera's clock."""
    stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(hashlib.sha1(nonce + stamp.encode() + password.encode()).digest()).decode()  # noqa: S324  # the standard's
    return (
        f'<wsse:Security s:mustUnderstand="1" xmlns:wsse="{_WSSE}-secext-1.0.xsd"'
        f' xmlns:wsu="{_WSSE}-utility-1.0.xsd"><wsse:UsernameToken><wsse:Username>{escape(user)}</wsse:Username>'
        f'<wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0'
        f'#PasswordDigest">{digest}</wsse:Password><wsse:Nonce>{base64.b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{stamp}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def probe(message_id: str) -> bytes:
    """The call to every camera of the network; `message_id` is a UUID."""
    more = (
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"'
    )
    header = (
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
        f"<a:MessageID>urn:uuid:{escape(message_id)}</a:MessageID>"
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    )
    body = "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>"
    return _ENVELOPE.format(header=header, body=body, more=more).encode()


def found_of(datagram: bytes) -> list[Found]:
    """The cameras of an answer to `probe`. Raises DecodeError."""
    found = []
    for match in _all(_parsed(datagram), "ProbeMatch"):
        addresses = tuple(_text(match, "XAddrs").split())
        scopes = dict(re.findall(r"onvif://www\.onvif\.org/(name|hardware)/(\S+)", _text(match, "Scopes")))
        if addresses:
            found.append(Found(addresses, _plain(scopes.get("name", "")), _plain(scopes.get("hardware", ""))))
    return found


def time_of(answer: bytes) -> datetime | None:
    """The camera's clock, None where it does not say. Raises DecodeError."""
    for stamp in _all(_answered(answer), "UTCDateTime"):
        try:
            year, month, day, hour, minute, second = (
                int(_text(stamp, name)) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
            )
            return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError as error:
            raise DecodeError(f"the camera's clock is no time: {error}") from error
    return None


def media_address_of(answer: bytes) -> str:
    """Where the media service is. Raises DecodeError where there is none."""
    for media in _all(_answered(answer), "Media"):
        if address := _text(media, "XAddr"):
            return address
    raise DecodeError("the camera names no media service")


def profiles_of(answer: bytes) -> list[Profile]:
    """The streams that have video. Raises DecodeError."""
    found = []
    for entry in _all(_answered(answer), "Profiles"):
        video = next(_all(entry, "VideoEncoderConfiguration"), None)
        token = entry.get("token")
        if video is None or not token:
            continue
        try:
            size = int(_text(video, "Width") or 0), int(_text(video, "Height") or 0)
            fps = float(_text(video, "FrameRateLimit") or 0)
        except ValueError as error:
            raise DecodeError(f"profile {token}: {error}") from error
        found.append(Profile(token, _text(entry, "Name"), _text(video, "Encoding"), *size, fps))
    return found


def uri_of(answer: bytes) -> str:
    """The stream's address. Raises DecodeError."""
    for found in _all(_answered(answer), "Uri"):
        if found.text and found.text.strip():
            return found.text.strip()
    raise DecodeError("the camera names no address for the stream")


def best_for_counting(profiles: list[Profile]) -> Profile | None:
    """The smallest picture that is 640 wide or more, which is usually a sub-stream; else the widest."""
    wide = [one for one in profiles if one.width >= 640]
    if wide:
        return min(wide, key=lambda one: one.width * one.height)
    return max(profiles, key=lambda one: one.width, default=None)


def _answered(answer: bytes) -> ElementTree.Element:
    root = _parsed(answer)
    for fault in _all(root, "Fault"):
        said = " ".join(part.strip() for part in fault.itertext() if part.strip())
        if "NotAuthorized" in said or "FailedAuthentication" in said or "authority failure" in said.lower():
            raise RefusedError("the camera refuses user or password")
        raise DecodeError(f"the camera answers: {said[:200]}")
    return root


class RefusedError(DecodeError):
    """User or password, or the digest's time, is not accepted."""


def _parsed(text: bytes) -> ElementTree.Element:
    if len(text) > LONGEST:
        raise DecodeError(f"an answer of {len(text)} bytes: no camera needs more than {LONGEST}")
    # Entities may grow a small text without bound; SOAP allows no document type at all.
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise DecodeError("the answer has a document type, which SOAP forbids")
    try:
        return ElementTree.fromstring(text)  # noqa: S314  # no entities, bounded length
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DecodeError(f"the answer is no XML: {error}") from error


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """Elements of that local name: prefixes and even namespaces differ from camera to camera."""
    return (one for one in root.iter() if isinstance(one.tag, str) and one.tag.rpartition("}")[2] == name)


def _text(root: ElementTree.Element, name: str) -> str:
    return next((one.text.strip() for one in _all(root, name) if one.text), "")


def _plain(scope: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), scope)
