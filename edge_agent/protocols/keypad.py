"""Key presses of a keypad to an entered PIN. The digits live here only until the PIN is complete or given up."""

from typing import Final

MAX_DIGITS: Final = 12
GIVE_UP_S: Final = 15.0
_ENTER: Final = frozenset(b"#\r\n")
_CLEAR: Final = frozenset((0x2A, 0x7F, 0x1B))  # '*', OSDP's code for '*' on many readers, escape


class Keypad:
    """Collects the keys of one reader."""

    def __init__(self) -> None:
        self._digits = bytearray()
        self._last_s = 0.0

    def press(self, keys: bytes, now_s: float) -> list[str]:
        """The PINs that these keys complete. `*` starts again, so does a long pause."""
        if now_s - self._last_s > GIVE_UP_S:
            self._digits.clear()
        self._last_s = now_s
        pins = []
        for key in keys:
            if key in _ENTER:
                if self._digits:
                    pins.append(self._digits.decode("ascii"))
                self._digits.clear()
            elif key in _CLEAR:
                self._digits.clear()
            elif 0x30 <= key <= 0x39 and len(self._digits) < MAX_DIGITS:
                self._digits.append(key)
        return pins
