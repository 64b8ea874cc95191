"""Asks ONVIF cameras of the network where their streams are. An aid at set-up; counting needs none of it."""

import http.client
import secrets
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from edge_agent.errors import DecodeError, LinkError
from edge_agent.protocols import onvif
from wire.clock import Clock

ANSWER_S: Final = 5.0
DEVICE_SERVICE: Final = "/onvif/device_service"


@dataclass(frozen=True, slots=True)
class Stream:
    """A profile with its address."""

    profile: onvif.Profile
    uri: str


def discover(seconds: float, place: tuple[str, int] = onvif.MULTICAST) -> Iterator[onvif.Found]:
    """Cameras as they answer the call on the local network, each once. Raises LinkError where nothing can be sent."""
    known: set[tuple[str, ...]] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        try:
            line.sendto(onvif.probe(str(uuid.uuid4())), place)
        except OSError as error:
            raise LinkError(f"{place[0]}: {error.strerror}; is the network up?") from error
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            line.settimeout(left)
            try:
                answers = onvif.found_of(line.recv(65_535))
            except TimeoutError:
                return
            except DecodeError:
                continue  # printers and televisions answer the same call in words of their own
            for found in answers:
                if found.addresses not in known:
                    known.add(found.addresses)
                    yield found


def streams(address: str, user: str, password: str, clock: Clock) -> list[Stream]:
    """What a camera offers. `address` is a host, host:port or the device service's URL.

    Raises LinkError: it does not answer, refuses the password, or says what nobody understands.
    """
    service = _service(address)
    try:
        told = onvif.time_of(_ask(service, onvif.GET_TIME))
        # A camera that has lost its clock refuses our time: speak in its own.
        offset = told - clock.now() if told is not None else timedelta()

        def header() -> str:
            made = clock.now() + offset
            return onvif.username_token(user, password, secrets.token_bytes(16), made) if user else ""

        media = _here(onvif.media_address_of(_ask(service, onvif.GET_CAPABILITIES, header())), service)
        found = onvif.profiles_of(_ask(media, onvif.GET_PROFILES, header()))
        return [
            Stream(profile, _here(onvif.uri_of(_ask(media, onvif.get_stream_uri(profile.token), header())), service))
            for profile in found
        ]
    except DecodeError as error:
        raise LinkError(f"{service}: {error}") from error


def _service(address: str) -> str:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LinkError(f"{address}: no address of a camera; give a host such as 192.0.2.20, or host:port")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or DEVICE_SERVICE, "", ""))


def _here(address: str, service: str) -> str:
    """The address on the host that we reach: cameras name one of another network, or their factory's."""
    parts, ours = urlsplit(address), urlsplit(service)
    port = f":{parts.port}" if parts.port else ""
    if parts.scheme == ours.scheme:
        port = f":{ours.port}" if ours.port else ""
    return urlunsplit(parts._replace(netloc=f"{ours.hostname}{port}"))


def _ask(url: str, body: str, header: str = "") -> bytes:
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = make(parts.hostname or "", parts.port, timeout=ANSWER_S)
    try:
        line.request(
            "POST",
            parts.path or "/",
            onvif.envelope(body, header),
            {"Content-Type": "application/soap+xml; charset=utf-8"},
        )
        answer = line.getresponse()
        text = answer.read(onvif.LONGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise LinkError(f"{url}: {why}; is it an ONVIF camera, and is ONVIF switched on there?") from error
    finally:
        line.close()
    if answer.status == 401:
        raise LinkError(f"{url}: the camera refuses user or password; make an ONVIF user there")
    # Faults come with 400 or 500 and an envelope that says why.
    if answer.status not in (200, 400, 500):
        raise LinkError(f"{url}: HTTP {answer.status}; is it an ONVIF camera?")
    return text
