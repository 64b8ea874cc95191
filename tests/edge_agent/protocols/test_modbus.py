"""Modbus: planning of requests and the frames of recordings, with vectors of vendors' pages."""

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.modbus import FrameError, RtuFrame, build_rtu, parse_rtu, plan_reads, registers_in
from firmware_profiles.model import Profile


def profile(fields: dict[str, dict[str, object]], **transport: object) -> Profile:
    return Profile.model_validate(
        {
            "profile": 1, "vendor": "A", "model": "B", "family": "smoke", "source": "test",
            "transport": {"kind": "modbus", **transport}, "fields": fields,
            "events": [{"kind": "smoke.state", "from": {"alarm": next(iter(fields))}}],
            "examples": [
                {"name": "a", "input": {"holding": {0: 1}}, "fields": {}},
                {"name": "b", "input": {}, "fails": "registers"},
            ],
        }
    )  # fmt: skip


def reads(found: Profile) -> list[tuple[str, int, int]]:
    return [(read.space, read.address, read.count) for read in plan_reads(found)]


def test_the_page_of_the_sqr_2_shows_a_good_input_and_an_alarm():
    # novabo SQR-2, id 255: bit 0 set is rest, clear is alarm.
    request = bytes.fromhex("FF 02 00 00 00 08 6C 12")
    rest, fault = registers_in([request, bytes.fromhex("FF 02 01 01 51 A0")])
    assert (rest["discrete", 0], fault) == (1, None)
    alarm, fault = registers_in([request, bytes.fromhex("FF 02 01 00 90 60")])
    assert (alarm["discrete", 0], fault) == (0, None)


def test_neighbours_are_read_together_and_what_is_far_apart_is_not():
    fields = {f"f{n}": {"holding": n} for n in (0, 1, 5, 40)}
    assert reads(profile(fields)) == [("holding", 0, 6), ("holding", 40, 1)]
    assert reads(profile(fields, max_gap=0)) == [("holding", 0, 2), ("holding", 5, 1), ("holding", 40, 1)]
    assert reads(profile(fields, max_gap=60, max_read=6)) == [("holding", 0, 6), ("holding", 40, 1)]


def test_long_values_take_their_registers_and_a_base_of_one_is_taken_off():
    fields = {"a": {"holding": 1, "type": "uint32"}, "b": {"holding": 3, "type": "ascii", "length": 5}}
    assert reads(profile(fields, address_base=1)) == [("holding", 0, 5)]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(1, 60), st.integers(0, 10))
def test_every_field_is_covered_by_a_request_that_is_not_too_long(addresses, max_read, max_gap):
    fields = {f"f{index}": {"input": address} for index, address in enumerate(addresses)}
    found = plan_reads(profile(fields, max_read=max_read, max_gap=max_gap))
    covered = {read.address + offset for read in found for offset in range(read.count)}
    assert set(addresses) <= covered
    assert all(1 <= read.count <= max_read for read in found)
    assert len(found) <= len(set(addresses))


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=250))
def test_a_frame_is_read_back(address, function, data):
    assert parse_rtu(build_rtu(address, function, data)) == RtuFrame(address, function, data)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_no_frames_ever_raise(frames):
    registers_in(frames)


@given(st.binary(max_size=300))
def test_noise_is_no_frame_or_has_its_crc(noise):
    found = parse_rtu(noise)
    assert isinstance(found, FrameError) or build_rtu(found.address, found.function, found.data) == noise


def test_what_a_slave_refuses_is_named():
    request = build_rtu(1, 3, bytes.fromhex("00030001"))
    assert registers_in([request, build_rtu(1, 0x83, b"\x02")])[1] == "exception: 2 (illegal address)"
    assert registers_in([request, build_rtu(2, 3, bytes.fromhex("020001"))])[1] == "address: 2 answers for 1"
    assert registers_in([request])[1] == "frames: a request and its answer belong together"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_mutated_frames_are_refused_or_have_their_crc():
    source = random.Random(485)
    seeds = [
        bytes.fromhex(text)
        for text in ("FF02000000086C12", "FF02010151A0", "010300030001740A", "01030200017984", "018302C0F1")
    ]
    for _ in range(int(os.environ.get("ANFANG_FUZZ_FRAMES", "1000000"))):
        frame = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 3)):
            frame[source.randrange(len(frame))] = source.randrange(256)
        if source.random() < 0.3:
            frame = frame[: source.randrange(len(frame) + 1)]
        raw = bytes(frame)
        if isinstance(found := parse_rtu(raw), RtuFrame):
            assert build_rtu(found.address, found.function, found.data) == raw
        registers_in([seeds[0], raw])
