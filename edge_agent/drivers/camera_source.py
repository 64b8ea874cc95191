"""Opens a camera's stream and yields its frames: RTSP, MJPEG over HTTP, a file, a V4L2 device."""

import errno
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import av
import numpy as np

from edge_agent.errors import LinkError

OPEN_S: Final = 5.0
READ_S: Final = 4.0
"""A live stream that brings nothing for so long is lost."""

Transport = Literal["auto", "tcp", "udp"]

_RTSP_OPTIONS: Final = {"fflags": "nobuffer", "analyzeduration": "1000000"}
_TRANSPORTS: Final[dict[Transport, dict[str, str]]] = {
    # TCP where the camera offers it: one lost UDP packet smears the picture until the next key frame.
    "auto": {"rtsp_transport": "udp+tcp", "rtsp_flags": "prefer_tcp"},
    "tcp": {"rtsp_transport": "tcp"},
    "udp": {"rtsp_transport": "udp"},
}


_SCHEMES: Final = ("", "file", "rtsp", "rtsps", "http", "https")
# From linux/videodev2.h: VIDIOC_QUERYCAP, its struct's size, the places of capabilities (of the whole camera) and of
# device_caps (of this device, 0 from old drivers), and V4L2_CAP_VIDEO_CAPTURE with and without several planes.
_QUERYCAP: Final = 0x80685600
_CAPABILITY_SIZE: Final = 104
_CAPABILITIES: Final = slice(84, 88)
_DEVICE_CAPS: Final = slice(88, 92)
_CAPTURES: Final = 0x1001


class PasswordRefusedError(LinkError):
    """The camera answered 401 or 403: trying again soon would lock the account."""


class StreamEndedError(LinkError):
    """A file, or a server that says goodbye, has no more frames."""


def without_password(url: str) -> str:
    """The address as it may stand in a log: user and password left out."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_password(url: str, password: str) -> str:
    """The address with this password for the user that it names."""
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    user = user.partition(":")[0] or "admin"
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))


def is_file(url: str) -> bool:
    """Whether it is a file of this machine, which has a clock of its own."""
    return urlsplit(url).scheme in ("", "file") and not url.startswith("/dev/")


def frames(url: str, transport: Transport = "auto") -> Iterator[tuple[av.VideoFrame, float]]:
    """Frames with the stream's own seconds. Ends only by an error.

    Raises LinkError in words that hold no credentials: PasswordRefusedError, StreamEndedError, or what else went wrong.
    """
    if url.startswith("/dev/"):
        yield from _device_frames(url)
    scheme = urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise LinkError(f"{scheme}:// is not read; give rtsp://, http:// (MJPEG), a file or /dev/video0")
    options = _RTSP_OPTIONS | _TRANSPORTS[transport] if scheme in ("rtsp", "rtsps") else {}
    path = urlsplit(url).path if scheme == "file" else url
    timeout = None if is_file(url) else (OPEN_S, READ_S)
    try:
        with av.open(
            path, format="mpjpeg" if scheme in ("http", "https") else None, options=options, timeout=timeout
        ) as container:
            yield from _decoded(container) if is_file(url) else _alive(_decoded(container))
    except av.FFmpegError as error:
        # FFmpeg's own message repeats the whole address.
        raise _in_words(error, url) from None
    except OSError as error:
        raise LinkError(error.strerror or type(error).__name__) from None
    raise StreamEndedError("the stream has ended")


def _decoded(container: av.container.InputContainer) -> Iterator[tuple[av.VideoFrame, float]]:
    if not container.streams.video:
        raise LinkError("there is no video in the stream")
    stream = container.streams.video[0]
    # One thread: a second one would only add a frame of delay each.
    stream.thread_type = "SLICE"
    stream.codec_context.thread_count = 1
    step_s = float(1 / (stream.average_rate or 25))
    last_s = 0.0
    for frame in container.decode(stream):
        last_s = frame.time if frame.time is not None else last_s + step_s
        yield frame, last_s


def _alive(decoded: Iterator[tuple[av.VideoFrame, float]]) -> Iterator[tuple[av.VideoFrame, float]]:
    """Raises LinkError as soon as a read has timed out.

    PyAV first gives the frame that the decoder still held, and begins to wait anew: twice as long until one knows.
    """
    while True:
        asked_s = time.monotonic()
        found = next(decoded, None)
        if found is None:
            return
        if time.monotonic() - asked_s >= READ_S:
            raise LinkError(f"nothing came for {READ_S:.0f} s")
        yield found


def _in_words(error: av.FFmpegError, url: str) -> LinkError:
    if isinstance(error, (av.HTTPUnauthorizedError, av.HTTPForbiddenError)):
        return PasswordRefusedError("the camera refuses user or password")
    if isinstance(error, av.EOFError):
        return StreamEndedError("the stream has ended")
    words = {
        av.HTTPNotFoundError: "the camera has no such stream (404)",
        av.ConnectionRefusedError: "nobody listens at that address",
        av.TimeoutError: "no answer in time",
        av.ExitError: f"nothing came for {READ_S:.0f} s",
        av.FileNotFoundError: "no such file",
        av.InvalidDataError: "what comes is no video",
    }
    for kind, text in words.items():
        if isinstance(error, kind):
            return LinkError(text)
    if error.errno == errno.EIO and not is_file(url):
        # FFmpeg says no more than this of a host without an address and of a line that breaks.
        host = urlsplit(url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return LinkError(f"no address is known for the host {host!r}; check the name, or give the number")
        return LinkError("the connection broke off")
    return LinkError(f"{type(error).__name__}: {error.strerror}")


def check_device(path: str) -> None:
    """Raises LinkError, in words, where the path is no camera that this process may read."""
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError:
        raise LinkError(f"no such device as {path}; is the camera plugged in?") from None
    except PermissionError:
        raise LinkError(f"this user may not read {path}; add it to the group `video`") from None
    except OSError as error:
        raise LinkError(f"{path}: {error.strerror}") from None
    try:
        found = fcntl.ioctl(device, _QUERYCAP, bytes(_CAPABILITY_SIZE))
    except OSError:
        raise LinkError(f"{path} is no camera; `ls /dev/video*` shows those there are") from None
    finally:
        os.close(device)
    of_device, of_all = (int.from_bytes(found[part], sys.byteorder) for part in (_DEVICE_CAPS, _CAPABILITIES))
    if not (of_device or of_all) & _CAPTURES:
        raise LinkError(f"{path} takes no pictures: one camera often has several devices, try the one before it")


def _device_frames(path: str) -> Iterator[tuple[av.VideoFrame, float]]:
    """A V4L2 device through OpenCV, because PyAV's wheels have no V4L2."""
    check_device(path)
    # 60 MB of memory that network cameras do not need.
    import cv2

    capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
    try:
        if not capture.isOpened():
            raise LinkError(f"{path} cannot be opened; does another program use it?")
        start = time.monotonic()
        while True:
            is_there, picture = capture.read()
            if not is_there:
                raise LinkError("the device gives no more pictures")
            frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8, copy=False), format="bgr24")
            yield frame, time.monotonic() - start
    finally:
        capture.release()
