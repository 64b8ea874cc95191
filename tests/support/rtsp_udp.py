"""An RTSP camera that speaks RTP over UDP and nothing else; FFmpeg's muxer makes the packets."""

import asyncio
import contextlib
import io
import re
import threading
import time
from pathlib import Path

import av

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\na=control:track1\r\n"


class UdpCamera:
    """`async with UdpCamera(clip) as camera:` and read `camera.url`. Plays the clip again and again."""

    def __init__(self, clip: Path) -> None:
        self.clip = clip
        self.url = ""
        self.refused_tcp = 0
        self._listener: asyncio.Server | None = None
        self._stop = threading.Event()
        self._players: list[threading.Thread] = []
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "UdpCamera":
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"rtsp://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/cam"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.close()
        for line in tuple(self._lines):
            line.close()
            await line.wait_closed()
        for player in self._players:
            await asyncio.to_thread(player.join)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = 0
        self._lines.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := (await reader.readuntil(b"\r\n\r\n")).decode():
                method = request.split(" ", 1)[0]
                wanted = re.search(r"client_port=(\d+)", request)
                status, more, body = "200 OK", "", ""
                if method == "DESCRIBE":
                    body = SDP.format(codec=self._codec())
                    more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                elif method == "SETUP" and wanted is None:
                    self.refused_tcp += 1
                    status = "461 Unsupported Transport"
                elif method == "SETUP":
                    port = int(wanted[1])
                    more = f"Transport: RTP/AVP/UDP;unicast;client_port={port}-{port + 1};server_port=9-10\r\nSession: 7\r\n"
                elif method == "PLAY":
                    self._play(port)
                sequence = re.search(r"(?im)^cseq:.*$", request)[0].strip()
                writer.write(f"RTSP/1.0 {status}\r\n{sequence}\r\n{more}\r\n{body}".encode())
                await writer.drain()
        writer.close()
        self._lines.discard(writer)

    def _codec(self) -> str:
        with av.open(str(self.clip)) as container:
            return {"h264": "H264", "hevc": "H265"}[container.streams.video[0].codec_context.name]

    def _play(self, port: int) -> None:
        self._players.append(threading.Thread(target=self._send, args=(port,), daemon=True))
        self._players[-1].start()

    def _send(self, port: int) -> None:
        with av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as out:
            sender, played_s = None, 0.0
            start = time.monotonic()
            while not self._stop.is_set():
                with av.open(self._as_transport_stream()) as clip:
                    stream = clip.streams.video[0]
                    sender = sender or out.add_stream_from_template(stream)
                    packets = [packet for packet in clip.demux(stream) if packet.dts is not None]
                    first, step = packets[0].dts, packets[1].dts - packets[0].dts
                    for packet in packets:
                        at_s = played_s + float((packet.dts - first) * packet.time_base)
                        if self._stop.wait(max(0.0, start + at_s - time.monotonic())):
                            return
                        packet.pts = packet.dts = round(at_s / packet.time_base)
                        packet.stream = sender
                        out.mux(packet)
                    played_s += float((packets[-1].dts + step - first) * packets[-1].time_base)

    def _as_transport_stream(self) -> io.BytesIO:
        """The parameter sets go with every key frame there, as cameras send them."""
        buffer = io.BytesIO()
        with av.open(str(self.clip)) as clip, av.open(buffer, "w", format="mpegts") as out:
            copy = out.add_stream_from_template(clip.streams.video[0])
            for packet in clip.demux(clip.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
        buffer.seek(0)
        return buffer
