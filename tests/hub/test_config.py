"""Each fault in the hub's settings is one line: where, what, mend."""

from pathlib import Path

import pytest

from hub.config import load_config
from hub.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"http": {"listen": "nonsense"}}, ["command line", "http.listen", "address:port"]),
        ({"mqtt": {"url": "http://x"}}, ["command line", "mqtt.url", "mqtt://host:1883"]),
        ({"mqtt": {"urll": "mqtt://x"}}, ["mqtt.urll", "no such setting"]),
        ({"rules": {"tick_s": 0}}, ["rules.tick_s", "greater than 0"]),
    ],
)
def test_a_wrong_setting_is_told_with_its_place_and_mend(
    overrides: dict[str, dict[str, object]], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, overrides)
    assert "\n" not in str(raised.value)
    assert all(word in str(raised.value) for word in words)


def test_a_file_with_a_typo_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text('[http]\nlisen = "127.0.0.1:1"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"hub\.toml: http\.lisen: there is no such setting"):
        load_config(path, {})
