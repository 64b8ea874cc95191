"""ONVIF answers as cameras give them, and as they should not."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.errors import DecodeError
from edge_agent.protocols.onvif import (
    LONGEST,
    Profile,
    RefusedError,
    best_for_counting,
    envelope,
    found_of,
    get_stream_uri,
    profiles_of,
    time_of,
    uri_of,
    username_token,
)

MATCH = b"""<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Body><d:ProbeMatches><d:ProbeMatch>
 <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Lobby%20Cam
 onvif://www.onvif.org/hardware/IPC-1</d:Scopes>
 <d:XAddrs>http://192.0.2.20/onvif/device_service http://[fe80::1]/onvif/device_service</d:XAddrs>
</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"""


def answer(body):
    return envelope(body)


def test_the_digest_is_the_standards_example():
    # WS-UsernameToken profile as in the ONVIF Application Programmer's Guide, 6.1.1.
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    header = username_token("user", "userpassword", nonce, datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC))

    assert ">tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password>" in header
    assert "<wsu:Created>2010-09-16T07:50:45Z</wsu:Created>" in header
    assert "userpassword" not in header


def test_a_camera_that_answers_the_call_is_known_by_address_name_and_hardware():
    (found,) = found_of(MATCH)

    assert found.addresses[0] == "http://192.0.2.20/onvif/device_service"
    assert (found.name, found.hardware) == ("Lobby Cam", "IPC-1")


def test_a_clock_that_is_no_time_is_said_and_a_missing_one_is_none():
    stamp = "<Time><Hour>25</Hour><Minute>0</Minute><Second>0</Second></Time>"
    date = "<Date><Year>2024</Year><Month>2</Month><Day>3</Day></Date>"

    assert time_of(answer("<GetSystemDateAndTimeResponse/>")) is None
    with pytest.raises(DecodeError, match="clock"):
        time_of(answer(f"<UTCDateTime>{stamp}{date}</UTCDateTime>"))


def test_the_smallest_stream_that_is_wide_enough_is_the_one_to_count_with():
    sizes = [(2560, 1440), (640, 360), (1280, 720), (352, 288)]
    profiles = [Profile(str(w), "", "H264", w, h, 15) for w, h in sizes]

    assert best_for_counting(profiles).width == 640
    assert best_for_counting(profiles[3:]).width == 352
    assert best_for_counting([]) is None


def test_profiles_without_video_are_left_out():
    video = "<VideoEncoderConfiguration><Encoding>H265</Encoding><Width>640</Width><Height>360</Height>"
    body = f'<Profiles token="a"><Name>sub</Name>{video}</VideoEncoderConfiguration></Profiles><Profiles token="b"/>'

    assert profiles_of(answer(body)) == [Profile("a", "sub", "H265", 640, 360, 0.0)]


def test_a_refusal_is_told_from_other_faults():
    with pytest.raises(RefusedError):
        uri_of(answer("<Fault><Code><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>"))
    with pytest.raises(DecodeError, match="no such profile"):
        uri_of(answer("<Fault><Reason><Text>no such profile</Text></Reason></Fault>"))


@pytest.mark.parametrize(
    "text",
    [b"", b"HTTP", b"<a>", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<a>" + b"x" * LONGEST + b"</a>"],
)
def test_what_is_no_answer_is_an_error_and_entities_are_never_expanded(text):
    with pytest.raises(DecodeError):
        uri_of(text)


@given(st.binary(max_size=300))
def test_noise_is_never_more_than_an_error(noise):
    for parse in (found_of, time_of, profiles_of, uri_of):
        try:
            parse(noise)
        except DecodeError:
            continue


@given(st.text(max_size=40))
def test_a_token_of_any_text_stays_text(token):
    clean = "".join(letter for letter in token if letter.isprintable())

    assert b"<ProfileToken>" in envelope(get_stream_uri(clean))
    assert envelope(get_stream_uri(clean)).count(b"</ProfileToken>") == 1
