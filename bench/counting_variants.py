"""Counting on made-up variants of real clips: backwards, mirrored, dark, noisy, slow, coarse, shaken, cropped, small, …

    python bench/counting_variants.py FOLDER [--vtest] [--clips a,b] [--variants x,y] [--cache DIR] [--json OUT.json]

The truth of each variant follows from that of the clip, so nobody has to look at it again. `--cache` keeps what the
network found, by the picture's own bytes: a change of tracker, line or blobs is then measured in seconds.
"""

import argparse
import hashlib
import io
import json
import pickle
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from counting import mean_error, score

from edge_agent.counting.av_picture import Scalers, from_array
from edge_agent.counting.camera_state import CameraWatch
from edge_agent.counting.count_file import read_frames
from edge_agent.counting.line import Line
from edge_agent.counting.model_files import FP32, find_model
from edge_agent.counting.overhead import Overhead
from edge_agent.counting.picture import THUMB_WIDTH
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.counting.ssdlite import SsdLite
from simulators.cameras.clips import NoClipError, vtest_clip

EMPTY_S = 20.0
PRIME_S = 0.5


@dataclass(frozen=True)
class Scene:
    """A clip in memory with its truth. `crossings` are (frame, direction), `people` frame -> count."""

    name: str
    view: str
    pictures: list
    fps: float
    line: tuple
    in_side: str
    crossings: tuple
    people: dict

    @property
    def size(self):
        height, width = self.pictures[0].shape[:2]
        return width, height


class KeptNetwork(SsdLite):
    """The network with a memory for pictures that it has seen before."""

    def __init__(self, store):
        super().__init__(find_model(FP32))
        self.store, self.is_new = store, False

    def infer(self, rgb):
        key = hashlib.blake2b(rgb, digest_size=12).digest()
        if key not in self.store:
            scores, boxes = super().infer(rgb)
            kept = np.flatnonzero(scores >= 0.05)
            self.store[key] = scores[kept].copy(), boxes[kept].copy()
            self.is_new = True
        return self.store[key]


def reversed_(scene):
    last = len(scene.pictures) - 1
    other = {"in": "out", "out": "in"}
    return replace(
        scene,
        pictures=scene.pictures[::-1],
        crossings=tuple((last - frame, other[side]) for frame, side in scene.crossings),
        people={last - frame: count for frame, count in scene.people.items()},
    )


def mirrored(scene):
    """Left of the arrow becomes right of it, and so does the side that is inside."""
    width = scene.size[0]
    ax, ay, bx, by = scene.line
    return replace(
        scene,
        pictures=[picture[:, ::-1] for picture in scene.pictures],
        line=(width - 1 - ax, ay, width - 1 - bx, by),
        in_side={"left": "right", "right": "left"}[scene.in_side],
    )


def exposed(gain, noise, gamma=1.0):
    """Less light with a sensor's noise, which does not get less."""

    def change(scene):
        random = np.random.default_rng(1)
        curve = 255 * (np.arange(256) / 255) ** gamma * gain

        def one(picture):
            grain = cv2.resize(
                random.normal(0, noise, tuple(side // 2 for side in picture.shape[:2])).astype(np.float32),
                picture.shape[1::-1],
            )
            fine = random.normal(0, noise, picture.shape[:2]).astype(np.float32)
            return np.clip(curve.astype(np.float32)[picture] + (grain + fine)[..., None], 0, 255).astype(np.uint8)

        return replace(scene, pictures=[one(picture) for picture in scene.pictures])

    return change


def flickering(scene):
    """A lamp whose flicker beats with the frame rate, and an exposure that hunts after it."""
    seconds = np.arange(len(scene.pictures)) / scene.fps
    gains = 1 + 0.12 * np.sin(2 * np.pi * 2.3 * seconds) + 0.1 * np.sin(2 * np.pi * 0.13 * seconds)
    pictures = [cv2.convertScaleAbs(one, alpha=gain) for one, gain in zip(scene.pictures, gains, strict=True)]
    return replace(scene, pictures=pictures)


def slower(part):
    def change(scene):
        return replace(
            scene,
            pictures=scene.pictures[::part],
            fps=scene.fps / part,
            crossings=tuple((frame // part, side) for frame, side in scene.crossings),
            people={frame // part: count for frame, count in scene.people.items() if frame % part == 0},
        )

    return change


def coarse(scene):
    """Through an encoder that has far too few bits."""
    buffer, (width, height) = io.BytesIO(), scene.size
    width, height = width // 2 * 2, height // 2 * 2
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(scene.fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "38", "preset": "veryfast", "g": str(4 * round(scene.fps))}
        for picture in scene.pictures:
            whole = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(whole, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        return replace(scene, pictures=[frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def warped(scene, matrices):
    pictures = [
        cv2.warpAffine(one, matrix, scene.size, borderMode=cv2.BORDER_REPLICATE)
        for one, matrix in zip(scene.pictures, matrices, strict=True)
    ]
    return replace(scene, pictures=pictures)


def shaken(scene):
    """A bracket that sways and trembles, by a hundredth of the width or so; the line stays where it was drawn."""
    random, count, width = np.random.default_rng(2), len(scene.pictures), scene.size[0]
    seconds = np.arange(count) / scene.fps
    sway = 0.006 * width * np.stack([np.sin(2 * np.pi * 0.7 * seconds), np.cos(2 * np.pi * 0.9 * seconds)], axis=1)
    offsets = sway + random.normal(0, 0.002 * width, (count, 2))
    return warped(scene, [np.array([[1, 0, x], [0, 1, y]], np.float64) for x, y in offsets])


def tilted(degrees):
    def change(scene):
        matrix = cv2.getRotationMatrix2D((scene.size[0] / 2, scene.size[1] / 2), degrees, 1.0)
        ends = np.array(scene.line, float).reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
        return replace(warped(scene, [matrix] * len(scene.pictures)), line=tuple(ends.ravel()))

    return change


def cropped(scene):
    """The camera a little nearer: 6 % off every side."""
    width, height = scene.size
    x, y = round(0.06 * width), round(0.06 * height)
    line = tuple(value - (x, y)[place % 2] for place, value in enumerate(scene.line))
    return replace(scene, pictures=[one[y : height - y, x : width - x] for one in scene.pictures], line=line, people={})


def small(scene):
    size = tuple(side // 4 * 2 for side in scene.size)
    pictures = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in scene.pictures]
    return replace(scene, pictures=pictures, line=tuple(value / 2 for value in scene.line))


def after_emptiness(scene):
    """The empty place, by the median of the clip, before and after it, with a sensor's noise."""
    random = np.random.default_rng(3)
    empty = np.median(scene.pictures[:: max(1, len(scene.pictures) // 40)], axis=0)
    count = round(EMPTY_S * scene.fps)

    def still():
        noisy = empty + random.normal(0, 2, empty.shape[:2])[..., None]
        return np.clip(noisy, 0, 255).astype(np.uint8)

    return replace(
        scene,
        pictures=[still() for _ in range(count)] + scene.pictures + [still() for _ in range(count)],
        crossings=tuple((frame + count, side) for frame, side in scene.crossings),
        people={frame + count: people for frame, people in scene.people.items()},
    )


VARIANTS = {
    "as it is": lambda scene: scene,
    "reversed": reversed_,
    "mirrored": mirrored,
    "dim": exposed(0.3, 2.0),
    "dark": exposed(0.15, 3.0),
    "deep shade": exposed(0.5, 2.5, gamma=1.8),
    "noisy": exposed(0.9, 8.0),
    "slow": None,
    "coarse": coarse,
    "shaken": shaken,
    "tilted": tilted(5.0),
    "cropped": cropped,
    "small": small,
    "flicker": flickering,
    "emptiness": after_emptiness,
    "reversed dark": lambda scene: exposed(0.2, 2.5)(reversed_(scene)),
    "reversed slow": None,
}


def vary(scene, name):
    """A quarter of a fast clip's frames, half of a slow one's: five frames a second at least."""
    if name in ("slow", "reversed slow"):
        scene = reversed_(scene) if name == "reversed slow" else scene
        return slower(4 if scene.fps > 20 else 2)(scene)
    return VARIANTS[name](scene)


def load(folder, wants_vtest, wanted):
    for name, clip in json.loads((folder / "ground_truth.json").read_text()).items():
        if wanted and name not in wanted:
            continue
        view = "overhead" if "overhead" in clip["view"] or "from above" in clip["view"] else "oblique"
        pictures = [frame.to_ndarray(format="rgb24") for frame, _ in read_frames(folder / clip["file"])]
        crossings = tuple((one["frame"], one["direction"]) for one in clip["crossings"])
        people = {int(frame): count for frame, count in clip.get("people_per_frame", {}).items()}
        line = (*clip["line"]["a"], *clip["line"]["b"])
        yield Scene(name, view, pictures, clip["fps"], line, clip["line"]["in_side"], crossings, people)
    if wants_vtest and (not wanted or "vtest" in wanted):
        try:
            clip = vtest_clip()
        except NoClipError as error:
            sys.exit(f"vtest.avi: {error}; leave --vtest out")
        pictures = [frame.to_ndarray(format="rgb24") for frame, _ in read_frames(clip.path)]
        crossings = tuple((one.frame, one.direction) for one in clip.crossings)
        yield Scene("vtest", "oblique", pictures, clip.fps, clip.line, clip.in_side, crossings, {})


def count(scene, network, *, is_primed=True):
    """Crossings, people by frame and the camera's states, as `anfang-agent count` and the worker find them."""
    detector = Overhead(network) if scene.view == "overhead" else network
    scalers = Scalers()
    if is_primed:
        step = max(1, round(PRIME_S * scene.fps))
        detector.prime(lambda: (from_array(one, scalers) for one in scene.pictures[::step]))
    counter, watch = PeopleCounter(detector, Line(*scene.line, scene.in_side)), CameraWatch()
    crossings, people, states = [], {}, set()
    for index, rgb in enumerate(scene.pictures):
        picture = from_array(rgb, scalers)
        grey = picture.grey(THUMB_WIDTH)
        states.add(watch.step(grey, index / scene.fps))
        seen = counter.step(picture, index, index / scene.fps, grey)
        crossings += [{"frame": one.frame, "direction": one.direction} for one in seen.crossings]
        people[index] = seen.present
    crossings += [{"frame": one.frame, "direction": one.direction} for one in counter.finish()]
    return crossings, people, states


def total(results):
    results = list(results)
    hit, false, missed, net = (sum(one[key] for one in results) for key in ("hit", "false", "missed", "net_error"))
    return f"{hit:4} {false:5} {missed:5} {net:4}  F1 {2 * hit / max(1, 2 * hit + false + missed):.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vtest", action="store_true", help="Debian's vtest.avi too")
    parser.add_argument("--clips", default="")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--unprimed", action="store_true", help="as a live camera, which has not seen the clip before")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    chosen = parser.parse_args()
    report = {}
    print(f"{'clip':17} {'variant':14} {'hit':>4} {'false':>5} {'miss':>5} {'net':>4} {'MAE':>6}  camera")
    for scene in load(chosen.folder, chosen.vtest, set(filter(None, chosen.clips.split(",")))):
        for name in chosen.variants.split(","):
            file = chosen.cache / f"{scene.name}-{name.replace(' ', '_')}.pickle" if chosen.cache else None
            # Our own file, made by an earlier run.
            store = pickle.loads(file.read_bytes()) if file and file.is_file() else {}
            network = KeptNetwork(store)
            varied = vary(scene, name)
            crossings, people, states = count(varied, network, is_primed=not chosen.unprimed)
            if file and network.is_new:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(pickle.dumps(store))
            truth = [{"frame": frame, "direction": side} for frame, side in varied.crossings]
            hit, false, missed, net = score(truth, crossings, varied.fps)
            mae = mean_error(varied.people, people)
            bad = sorted(states - {"ok"})
            report.setdefault(name, {})[scene.name] = {
                "hit": hit, "false": false, "missed": missed, "net_error": net, "mae": mae, "camera": bad
            }  # fmt: skip
            shown = "-" if mae is None else f"{mae:.3f}"
            print(
                f"{scene.name:17} {name:14} {hit:4} {false:5} {missed:5} {net:4} {shown:>6}  {' '.join(bad) or 'ok'}",
                flush=True,
            )
    print()
    for name, clips in report.items():
        print(f"{'all':17} {name:14} {total(clips.values())}")
    print(f"over all: {total(one for clips in report.values() for one in clips.values())}")
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
