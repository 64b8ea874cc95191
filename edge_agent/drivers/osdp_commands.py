"""What a reader can be told, as libosdp writes it."""

from typing import Any, Final

import osdp

from firmware_profiles.transports import OsdpAction

_COLOURS: Final = {
    "off": osdp.CommandLEDColor.Black,
    "red": osdp.CommandLEDColor.Red,
    "green": osdp.CommandLEDColor.Green,
    "amber": osdp.CommandLEDColor.Amber,
    "blue": osdp.CommandLEDColor.Blue,
}


def keyset(key: bytes) -> dict[str, Any]:
    """The command that gives a reader its key; it goes over a secure channel only."""
    return {"command": osdp.Command.Keyset, "type": 1, "data": key}


def status_request(kind: str) -> dict[str, Any]:
    """The command that makes a reader report `local` or `input` now, not only at the next change."""
    report = osdp.StatusReportType.Local if kind == "local" else osdp.StatusReportType.Input
    return {"command": osdp.Command.Status, "type": report, "report": b""}


def commands_of(action: OsdpAction, vendor: int | None) -> list[dict[str, Any]]:
    """libosdp's commands for what a profile wants of a reader."""
    found: list[dict[str, Any]] = []
    ticks = min(255, (action.timer_ms + 99) // 100)
    if action.output is not None:
        # Control codes of osdp_OUT: 1 off for good, 2 on for good, 5 on for the timer's time.
        code = (5 if action.on and ticks else 2) if action.on else 1
        found.append(
            {"command": osdp.Command.Output, "output_no": action.output, "control_code": code, "timer_count": ticks}
        )
    if action.led is not None:
        found.append(_led(_COLOURS[action.led], ticks))
    if action.buzzer is not None:
        found.append(
            {"command": osdp.Command.Buzzer, "reader": 0, "control_code": 2 if action.buzzer == "on" else 1,
             "on_count": max(1, ticks), "off_count": 1, "rep_count": 1 if ticks else 0}
        )  # fmt: skip
    if action.vendor_data is not None:
        found.append(vendor_command(bytes.fromhex(action.vendor_data), vendor))
    return found


def vendor_command(data: bytes, vendor: int | None) -> dict[str, Any]:
    """A manufacturer's command with at least one byte of data; libosdp writes the code's bytes from the right."""
    code = int.from_bytes((vendor or 0).to_bytes(3, "big"), "little")
    return {"command": osdp.Command.Manufacturer, "vendor_code": code, "data": data}


def _led(colour: int, ticks: int) -> dict[str, Any]:
    return {
        "command": osdp.Command.LED, "reader": 0, "led_number": 0, "temporary": bool(ticks),
        "control_code": 2 if ticks else 1, "on_color": colour, "off_color": osdp.CommandLEDColor.Black,
        "on_count": max(1, ticks), "off_count": 0, "timer_count": ticks,
    }  # fmt: skip
