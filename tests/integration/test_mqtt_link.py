"""The MQTT link against the real Mosquitto: TLS, passwords, and what a person is told when it does not work."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.servers import free_port, mosquitto
from support.wait import until_async

from edge_agent.errors import ConfigError
from edge_agent.mqtt_link import Message, MqttLink, MqttOptions
from wire.clock import SystemClock

pytestmark = pytest.mark.integration

Issued = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issue(name: str, folder: Path, ca: Issued | None = None, *, host: str | None = None) -> Issued:
    """A certificate of a small authority, written as NAME.crt and NAME.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # certificates are checked against the machine's clock
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca[0].subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
    )
    if ca is not None:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if host else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    certificate = builder.sign(ca[1] if ca else key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, key


@contextlib.asynccontextmanager
async def link(options: MqttOptions) -> AsyncIterator[tuple[MqttLink, list[Message]]]:
    messages: list[Message] = []
    found = MqttLink(options, SystemClock(), subscriptions=["there/#"], on_message=messages.append)
    task = asyncio.create_task(found.run())
    try:
        yield found, messages
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_mutual_tls_works_and_a_wrong_host_or_authority_is_named(tmp_path: Path) -> None:
    ca = issue("ca", tmp_path)
    issue("rogue-ca", tmp_path)
    issue("broker", tmp_path, ca, host="localhost")
    issue("gw-1", tmp_path, ca)
    port = free_port()
    settings = (
        f"user root\nlistener {port}\ncafile {tmp_path}/ca.crt\ncertfile {tmp_path}/broker.crt\nkeyfile {tmp_path}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true\n"
    )
    with mosquitto(tmp_path / "broker", settings):
        good = MqttOptions(
            url=f"mqtts://localhost:{port}",
            client_id="gw-1",
            ca_file=tmp_path / "ca.crt",
            cert_file=tmp_path / "gw-1.crt",
            key_file=tmp_path / "gw-1.key",
        )
        async with link(good) as (found, messages):
            await until_async(lambda: found.is_up, what="TLS")
            big = b"x" * 200_000
            for _ in range(5):
                assert found.publish("there/it-goes", big)
            await until_async(lambda: len(messages) == 5, what="five large messages back through TLS")
            assert all(message.payload == big for message in messages)
        async with link(replace(good, ca_file=tmp_path / "rogue-ca.crt")) as (found, _):
            await until_async(lambda: "certificate is not good" in found.detail, what="the authority named")
        async with link(replace(good, url=f"mqtts://127.0.0.1:{port}")) as (found, _):
            await until_async(lambda: "certificate is not good" in found.detail, what="the host named")
        async with link(replace(good, cert_file=None, key_file=None)) as (found, _):
            await until_async(lambda: found.detail != "not connected yet", what="the missing certificate refused")
            assert not found.is_up


async def test_a_wrong_password_is_told_and_tried_again(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    make = ["mosquitto_passwd", "-b", "-c", str(passwords), "gw-1", "right"]
    await asyncio.to_thread(subprocess.run, make, check=True)
    with mosquitto(tmp_path / "broker", f"user root\npassword_file {passwords}\n") as broker:
        options = MqttOptions(url=broker.url, client_id="gw-1", username="gw-1", password="wrong")
        for version in ("5", "3.1.1"):
            async with link(replace(options, version=version)) as (found, _):
                await until_async(lambda found=found: "refuses us" in found.detail, what="the refusal")
        async with link(replace(options, password="right")) as (found, _):
            await until_async(lambda: found.is_up, what="the connection")


@pytest.mark.parametrize(
    ("url", "word"), [("mqtt://127.0.0.1:1", "refused"), ("mqtt://no-such-host.invalid", "cannot be resolved")]
)
async def test_a_broker_that_is_not_there_is_told_in_plain_words(url: str, word: str) -> None:
    async with link(MqttOptions(url=url, client_id="gw-1")) as (found, _):
        await until_async(lambda: word in found.detail.lower(), what="the plain words")
        assert not found.publish("there", b"x")


@pytest.mark.parametrize("url", ["http://hub", "mqtt://", "mqtt://hub:99999"])
def test_a_url_that_is_none_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtt://host:1883"):
        MqttOptions(url=url, client_id="x").tls()


async def test_unconfirmed_messages_come_again_after_a_reconnection(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        options = MqttOptions(url=broker.url, client_id="driver", is_persistent=True, confirms_itself=False)
        async with link(options) as (found, messages):
            await until_async(lambda: found.is_up, what="the connection")
            found.publish("there/1", b"one")
            found.publish("there/2", b"two")
            await until_async(lambda: len(messages) == 2, what="both")
            found.confirm(messages[0])
            await asyncio.sleep(0.2)
        async with link(options) as (_, messages):
            await until_async(lambda: messages, what="the unconfirmed one")
            await asyncio.sleep(0.2)
            assert [message.payload for message in messages] == [b"two"]
