"""Each fault in a configuration is one line: where, what, mend."""

import re
from pathlib import Path

import pytest

from edge_agent.check import look_at
from edge_agent.config import AgentConfig, load_config
from edge_agent.errors import ConfigError
from edge_agent.logs import mask_secrets
from edge_agent.secrets import read_secret, secret_fault

GOOD = """
[gateway]
id = "gw-1"
data_dir = "{folder}/data"

[hub]
url = "mqtt://127.0.0.1:1883"
"""


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "agent.toml"
    path.write_text(text.replace("{folder}", str(folder)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [line.removeprefix(str(path)) for line in str(caught.value).splitlines()]


def good(folder: Path, more: str = "") -> AgentConfig:
    path = folder / "agent.toml"
    path.write_text(GOOD.replace("{folder}", str(folder)) + more, encoding="utf-8")
    return load_config(path)


def test_the_smallest_configuration_loads(tmp_path: Path) -> None:
    config = good(tmp_path)
    assert config.gateway.id == "gw-1"
    assert config.reflexes.siren_off_when_clear


def test_a_typo_is_found_with_its_line_and_the_right_word(tmp_path: Path) -> None:
    text = GOOD.replace("[hub]\nurl", '[hub]\nuser = "x"\nurll')
    assert faults(tmp_path, text) == [
        ": hub.url: missing; mqtt://host:1883 or mqtts://host:8883",
        ":7: hub.user: unknown key; did you mean 'username'?",
        ":8: hub.urll: unknown key; did you mean 'url'?",
    ]


def test_the_line_is_that_of_the_right_table_among_many(tmp_path: Path) -> None:
    text = GOOD + (
        '\n[[bus]]\nname = "a"\nkind = "osdp"\nport = "/dev/ttyS1"\n'
        '\n[[bus]]\nname = "b"\nkind = "canbus"\nport = "/dev/ttyS2"\n'
    )
    (fault,) = faults(tmp_path, text)
    assert fault.startswith(":16: bus.1.kind: input should be ")
    assert fault.endswith("not 'canbus'; mend the value")


def test_a_wrong_value_is_shown_with_what_it_should_be(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, GOOD.replace("gw-1", "GW 1"))
    assert fault.startswith(":3: gateway.id: ")
    assert "'GW 1'" in fault
    assert "this gateway's identity" in fault


def test_names_that_stand_for_nothing_are_found(tmp_path: Path) -> None:
    text = GOOD + (
        '[reflexes]\nsirens = ["siren-9"]\n[[device]]\nid = "lock-1"\nprofile = "p"\nbus = "nope"\n'
        '[[device]]\nid = "lock-1"\nprofile = "p"\n'
    )
    found = "\n".join(faults(tmp_path, text))
    assert "'lock-1' is there twice" in found
    assert "no [[bus]] is named 'nope'" in found
    assert "no [[device]] has the id 'siren-9'" in found


def test_what_is_no_toml_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    assert "not TOML" in faults(tmp_path, "[gateway\n")[0]
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nowhere.toml")


def test_check_looks_at_ports_profiles_keys_and_cameras(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    config = good(
        tmp_path,
        '[[bus]]\nname = "a"\nkind = "osdp"\nport = "/dev/does-not-exist"\n'
        '[[bus]]\nname = "b"\nkind = "modbus"\nport = "tcp://10.0.0.1:502"\n'
        f'[[device]]\nid = "lock-1"\nprofile = "no-such-profile"\nbus = "a"\nkey_file = "{key}"\n'
        '[[camera]]\nid = "cam"\nurl = "rtsp://admin:hunter2@10.0.0.2/1"\nline = [0, 0, 1, 1]\nin_side = "left"\n'
        '[[camera]]\nid = "file"\nurl = "/no/such/clip.avi"\nline = [0, 0, 1, 1]\nin_side = "left"\n',
    )
    found = {finding.where: finding for finding in look_at(config, tmp_path)}
    assert found["gateway.data_dir"].fault is None
    assert "No such file" in (found["bus.0.port"].fault or "")
    assert found["bus.1.port"].fault is None
    assert "chmod 600" in (found["device.0.key_file"].fault or "")
    assert "no-such-profile" in (found["device.0.profile"].fault or "")
    assert found["camera.0.url"].fault is None
    assert "hunter2" not in found["camera.0.url"].what
    assert "no such file" in (found["camera.1.url"].fault or "")


def test_tls_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    text = GOOD.replace("mqtt://127.0.0.1:1883", "mqtts://hub:8883").replace("{folder}", str(tmp_path))
    (tmp_path / "agent.toml").write_text(text + f'ca_file = "{tmp_path}/ca.pem"\n', encoding="utf-8")
    found = {finding.where: finding for finding in look_at(load_config(tmp_path / "agent.toml"), tmp_path)}
    assert "TLS files cannot be used" in (found["hub.url"].fault or "")


def test_a_secret_is_read_only_from_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    assert read_secret(path, "hub.password_file") == "s3cret"
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"hub\.password_file: .*chmod 600"):
        read_secret(path, "hub.password_file")
    path.write_text("\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="empty"):
        read_secret(path, "hub.password_file")
    assert "not a file" in (secret_fault(tmp_path) or "")
    assert secret_fault(tmp_path / "nope") is not None


def test_secrets_are_masked_in_logs_whoever_logs_them() -> None:
    fields = {"event": "x", "card_number": "0001701559", "hub_password": "p", "key": "k", "monkey": "fine", "seq": 3}
    masked = mask_secrets(None, "info", dict(fields))
    assert masked == {**fields, "card_number": "***", "hub_password": "***", "key": "***"}


def test_the_example_of_the_docs_is_a_configuration_also_when_its_comments_are_taken_away(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "docs" / "examples" / "gateway.toml").read_text(encoding="utf-8")
    whole = re.sub(r"^# (?=\[\[|\w+ = )", "", example, flags=re.MULTILINE)
    for number, text in enumerate((example, whole)):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        assert load_config(path).gateway.id == "gw-jh-0001"
    assert [device.id for device in load_config(path).device] == ["smoke-101"]
    assert len(load_config(path).camera) == 1
