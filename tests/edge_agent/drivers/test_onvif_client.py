"""The ONVIF client against a camera's SOAP service whose clock is two years off and which checks the digest."""

import base64
import hashlib
import re
import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from edge_agent.drivers.onvif_client import discover, streams
from edge_agent.errors import LinkError
from edge_agent.protocols.onvif import envelope
from wire.clock import SystemClock

PASSWORD = "p@ss & <word>"
OFF = timedelta(days=-800)


def profile(token, width, height):
    return (
        f'<trt:Profiles xmlns:trt="x" token="{token}"><Name>{token}</Name><VideoEncoderConfiguration>'
        f"<Encoding>H264</Encoding><Resolution><Width>{width}</Width><Height>{height}</Height></Resolution>"
        "<RateControl><FrameRateLimit>15</FrameRateLimit></RateControl></VideoEncoderConfiguration></trt:Profiles>"
    )


class Camera(BaseHTTPRequestHandler):
    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"])).decode()
        now = datetime.now(UTC) + OFF
        if "GetSystemDateAndTime" in request:
            time = f"<Hour>{now.hour}</Hour><Minute>{now.minute}</Minute><Second>{now.second}</Second>"
            date = f"<Year>{now.year}</Year><Month>{now.month}</Month><Day>{now.day}</Day>"
            return self.say(f"<UTCDateTime><Time>{time}</Time><Date>{date}</Date></UTCDateTime>")
        if not self.is_allowed(request, now):
            return self.say("<Fault><Code><Value>ter:NotAuthorized</Value></Code></Fault>", 400)
        if "GetCapabilities" in request:
            # A camera that still believes in its factory's address.
            return self.say("<Media><XAddr>http://192.168.1.108/onvif/media</XAddr></Media>")
        if "GetProfiles" in request:
            return self.say(profile("main", 2560, 1440) + profile("sub", 640, 360))
        token = re.search("<ProfileToken>(.*)</ProfileToken>", request)[1]
        return self.say(f"<MediaUri><Uri>rtsp://192.168.1.108:554/{token}?channel=1&amp;x=2</Uri></MediaUri>")

    def is_allowed(self, request, now):
        parts = [re.search(f"<ws(?:se|u):{name}[^>]*>(.*?)</", request) for name in ("Nonce", "Created", "Password")]
        if None in parts:
            return False
        nonce, created, digest = (part[1] for part in parts)
        right = hashlib.sha1(base64.b64decode(nonce) + created.encode() + PASSWORD.encode()).digest()
        is_fresh = abs(datetime.fromisoformat(created) - now) < timedelta(seconds=30)
        return base64.b64decode(digest) == right and is_fresh

    def say(self, body, status=200):
        text = envelope(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def camera():
    server = HTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_streams_are_found_though_the_cameras_clock_and_its_address_are_wrong(camera):
    found = streams(camera, "admin", PASSWORD, SystemClock())

    assert [(one.profile.name, one.profile.width) for one in found] == [("main", 2560), ("sub", 640)]
    assert found[1].uri == "rtsp://127.0.0.1:554/sub?channel=1&x=2"


def test_a_wrong_password_is_said_without_being_told(camera):
    with pytest.raises(LinkError, match="refuses user or password") as caught:
        streams(camera, "admin", "geheim", SystemClock())

    assert "geheim" not in str(caught.value)


def test_where_nobody_listens_one_line_says_so():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(LinkError, match="ONVIF"):
        streams(f"127.0.0.1:{port}", "", "", SystemClock())


def test_the_call_is_answered_and_each_camera_is_told_once():
    match = envelope(
        "<ProbeMatches><ProbeMatch><Scopes>onvif://www.onvif.org/name/Lobby</Scopes>"
        "<XAddrs>http://192.0.2.20/onvif/device_service</XAddrs></ProbeMatch></ProbeMatches>"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))

        def respond():
            call, caller = line.recvfrom(65_535)
            assert b"NetworkVideoTransmitter" in call
            for text in (b"a printer", match, match):
                line.sendto(text, caller)

        thread = threading.Thread(target=respond)
        thread.start()
        found = list(discover(1.0, line.getsockname()))
        thread.join()

    assert [one.name for one in found] == ["Lobby"]
