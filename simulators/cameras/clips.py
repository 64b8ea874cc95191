"""Clips that anybody can have: Debian's `vtest.avi` (PETS 2009), or a drawn scene where there is no apt."""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import IO, Final, Literal, cast

import av
import numpy as np

from simulators.cameras.people import Rgb
from simulators.cameras.scene import Corridor, draw_corridor

DEBIAN_PACKAGE: Final = "opencv-doc"
VTEST_IN_PACKAGE: Final = "usr/share/doc/opencv-doc/examples/data/vtest.avi"
VTEST_TRUTH: Final = Path(__file__).with_name("vtest_truth.json")
CACHE: Final = Path(__file__).parents[2] / "build" / "clips"


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """Somebody whose middle passed the line in this frame."""

    frame: int
    direction: Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Clip:
    """A video file with what is true of it."""

    path: Path
    """H.264 in MP4, as RTSP servers and browsers take it."""
    width: int
    height: int
    fps: float
    frames: int
    line: tuple[float, float, float, float]
    in_side: Literal["left", "right"]
    crossings: tuple[TrueCrossing, ...]

    @property
    def seconds(self) -> float:
        """Length of one play."""
        return self.frames / self.fps


class NoClipError(Exception):
    """The clip cannot be had here; the text says why in one line."""


def demo_clip(folder: Path = CACHE, *, empty_s: float = 0.0) -> Clip:
    """`vtest.avi` with its hand-made truth, or, where it cannot be fetched, the drawn corridor with its own.

    `empty_s` seconds of the empty scene stand before and after it: a client that has just connected misses the first
    second or two, and a player that begins again leaves time for counting up.
    """
    try:
        return vtest_clip(folder, empty_s=empty_s)
    except NoClipError as error:
        sys.stderr.write(f"vtest.avi: {error}; a drawn scene takes its place\n")
        return drawn_clip(folder, empty_s=empty_s)


def vtest_clip(folder: Path = CACHE, *, empty_s: float = 0.0) -> Clip:
    """`vtest.avi` as MP4, fetched and converted once; `empty_s` as in `demo_clip`. Raises NoClipError."""
    truth = json.loads(VTEST_TRUTH.read_text(encoding="utf-8"))
    source = fetch_vtest(folder)
    path = folder / f"vtest-empty{empty_s:g}.mp4"
    empty = round(empty_s * truth["fps"])
    if not path.is_file():
        _convert(source, path, round(truth["fps"]), empty)
    return Clip(
        path,
        truth["width"],
        truth["height"],
        truth["fps"],
        truth["frames"] + 2 * empty,
        tuple(truth["line"]),
        truth["in_side"],
        tuple(TrueCrossing(one["frame"] + empty, one["direction"]) for one in truth["crossings"]),
    )


def drawn_clip(folder: Path = CACHE, *, seed: int = 7, walkers: int = 6, empty_s: float = 0.0) -> Clip:
    """A drawn corridor as MP4, made once; `empty_s` as in `demo_clip`."""
    corridor = Corridor.random(seed, walkers=walkers, behaviours=("pass",), gap_s=(3.0, 6.0))
    path = folder / f"corridor-{seed}-{walkers}-empty{empty_s:g}.mp4"
    empty = round(empty_s * corridor.fps)
    if not path.is_file():
        write_clip(path, draw_corridor(corridor, empty_frames=empty), round(corridor.fps))
    crossings = tuple(TrueCrossing(frame + empty, direction) for frame, direction in corridor.crossings())
    return Clip(
        path,
        corridor.width,
        corridor.height,
        corridor.fps,
        corridor.frames + 2 * empty,
        corridor.line,
        corridor.in_side,
        crossings,
    )


def write_clip(path: Path, pictures: Iterable[Rgb], fps: int, codec: Literal["libx264", "libx265"] = "libx264") -> Path:
    """Pictures, [h, w, 3] each and of even sides, as MP4 in H.264 or H.265."""
    pictures = iter(pictures)
    first = next(pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _Writer(path, first.shape[1], first.shape[0], fps, codec) as writer:
        for picture in chain((first,), pictures):
            writer.write(av.VideoFrame.from_ndarray(picture, format="rgb24"))
    return path


def fetch_vtest(folder: Path = CACHE) -> Path:
    """`vtest.avi` of Debian's opencv-doc, downloaded without root and kept. Raises NoClipError."""
    path = folder / "vtest.avi"
    if path.is_file():
        return path
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoClipError("there is no apt-get here")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _run(["apt-get", "download", DEBIAN_PACKAGE], scratch)
        packages = list(Path(scratch).glob("*.deb"))
        if not packages:
            raise NoClipError(f"apt-get download {DEBIAN_PACKAGE} brought nothing; run apt-get update")
        archive = Path(scratch) / "data.tar"
        with archive.open("wb") as file:
            _run(["dpkg-deb", "--fsys-tarfile", str(packages[0])], scratch, stdout=file)
        with tarfile.open(archive) as tar:
            member = tar.extractfile(f"./{VTEST_IN_PACKAGE}")
            if member is None:
                raise NoClipError(f"{DEBIAN_PACKAGE} holds no {VTEST_IN_PACKAGE}")
            whole = Path(scratch) / "vtest.avi"
            with whole.open("wb") as out:
                shutil.copyfileobj(member, out)
        whole.replace(path)
    return path


def _run(command: list[str], folder: str, stdout: IO[bytes] | int = subprocess.DEVNULL) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            timeout=300,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        complaint = getattr(error, "stderr", None) or str(error).encode()
        last = (complaint.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
        raise NoClipError(f"{command[0]}: {last}") from error


class _Writer:
    """Writes frames to a file with a key frame every second and no frames that look ahead."""

    def __init__(self, path: Path, width: int, height: int, fps: int, codec: str = "libx264") -> None:
        self._path = path
        self._part = path.with_suffix(".part.mp4")
        self._container = av.open(str(self._part), "w")
        self._stream = cast("av.VideoStream", self._container.add_stream(codec, rate=fps))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.options = {"crf": "20", "preset": "veryfast", "bf": "0", "g": str(fps)}
        if codec == "libx265":
            self._stream.options = {"crf": "24", "preset": "ultrafast", "x265-params": f"bframes=0:keyint={fps}"}
        self._count = 0

    def __enter__(self) -> "_Writer":
        return self

    def write(self, frame: av.VideoFrame) -> None:
        """One more frame."""
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = self._count, Fraction(1, int(self._stream.average_rate or 10))
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            self._part.replace(self._path)


def _convert(source: Path, path: Path, fps: int, empty_frames: int) -> None:
    try:
        with _Writer(path, *_size(source), fps) as writer:
            if empty_frames:
                empty = _empty_scene(source)
            for _ in range(empty_frames):
                writer.write(av.VideoFrame.from_ndarray(empty, format="rgb24"))
            with av.open(str(source)) as container:
                for frame in container.decode(video=0):
                    writer.write(frame)
            for _ in range(empty_frames):
                writer.write(av.VideoFrame.from_ndarray(empty, format="rgb24"))
    except av.FFmpegError as error:
        raise NoClipError(f"{source}: cannot be read: {error.strerror}") from error


def _size(source: Path) -> tuple[int, int]:
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def _empty_scene(source: Path) -> Rgb:
    """What is there when nobody is: the median of every sixteenth frame."""
    with av.open(str(source)) as container:
        seen = [
            frame.to_ndarray(format="rgb24") for index, frame in enumerate(container.decode(video=0)) if index % 16 == 0
        ]
    return np.asarray(np.sort(np.stack(seen), axis=0)[len(seen) // 2])
