"""Counting against its peers and against the bare network, on every clip of a folder with a `ground_truth.json`.

    python bench/counting.py FOLDER [--json OUT.json] [--no-peers]

The three counters get the same detections; the network alone and our whole pipeline take turns on the same frames.
Peers live in build/peers (bench/requirements-peers.txt), made on first use.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from edge_agent.counting.av_picture import AvPicture, Scalers
from edge_agent.counting.back_end import make_detector
from edge_agent.counting.count_file import read_frames, sample
from edge_agent.counting.line import Line
from edge_agent.counting.model_files import FP32, INPUT_SIZE, INT8, find_model
from edge_agent.counting.picture import THUMB_WIDTH, Part
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.counting.ssdlite import SsdLite
from edge_agent.drivers.camera_feed import Fresh
from edge_agent.drivers.camera_messages import Order
from edge_agent.drivers.camera_worker import Counting
from simulators.cameras.clips import write_clip

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"
TOLERANCE_S = 1.5


class Remembering:
    """A detector that keeps what it found, so that the peers get the same."""

    def __init__(self, inner):
        self.inner, self.found = inner, []
        self.settings, self.look_again_s, self.sees_feet = inner.settings, inner.look_again_s, inner.sees_feet

    def prime(self, pictures):
        self.inner.prime(pictures)

    def detect(self, picture, grey, time_s):
        found = self.inner.detect(picture, grey, time_s)
        self.found.append(found)
        return found


def make_peers():
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        requirements = str(ROOT / "bench" / "requirements-peers.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


def score(truth, crossings, fps, tolerance_s=TOLERANCE_S):
    """True and false positives, missed, net error; nearest in time first, within 1.5 s."""
    hit = false = missed = 0
    for side in ("in", "out"):
        want = [one["frame"] for one in truth if one["direction"] == side]
        got = [one["frame"] for one in crossings if one["direction"] == side]
        pairs = sorted((abs(a - b), i, j) for i, a in enumerate(want) for j, b in enumerate(got))
        used_want, used_got = set(), set()
        for gap, i, j in pairs:
            if gap <= tolerance_s * fps and i not in used_want and j not in used_got:
                used_want.add(i)
                used_got.add(j)
        hit, false, missed = hit + len(used_want), false + len(got) - len(used_got), missed + len(want) - len(used_want)
    balance = [sum(1 if one["direction"] == "in" else -1 for one in crossed) for crossed in (truth, crossings)]
    return hit, false, missed, abs(balance[0] - balance[1])


def mean_error(truth, people):
    gaps = [abs(people.get(frame, 0) - count) for frame, count in truth.items()]
    return float(np.mean(gaps)) if gaps else None


def run_clip(path, clip, view):
    """Our pipeline on the clip, with the bare network taking turns on every frame. No frame is spared by the gate."""
    detector = Remembering(make_detector(view)[0])
    detector.prime(lambda: sample(path))
    line = Line(*clip["line"]["a"], *clip["line"]["b"], clip["line"]["in_side"])
    counter, scalers = PeopleCounter(detector, line), Scalers()
    bare = SsdLite(find_model(FP32))
    crossings, people, offsets, boxes, scores = [], {}, [0], [], []
    times = {"bare": [], "ours": [], "still": [], "cpu": 0.0}
    for index, (frame, second) in enumerate(read_frames(path)):
        rgb = AvPicture(frame, scalers).rgb(Part(0, 0, frame.width, frame.height), INPUT_SIZE)
        start = time.perf_counter()
        bare.infer(rgb)
        times["bare"].append(time.perf_counter() - start)
        before, cpu, start = len(detector.found), time.process_time(), time.perf_counter()
        seen = counter.step(AvPicture(frame, scalers), index, second)
        spent = time.perf_counter() - start
        times["ours" if seen.has_looked else "still"].append(spent)
        times["cpu"] += time.process_time() - cpu
        crossings += [{"frame": one.frame, "direction": one.direction} for one in seen.crossings]
        people[str(index)] = seen.present
        if len(detector.found) > before or not index:
            last = detector.found[-1]
        boxes.append(last.boxes)
        scores.append(last.scores)
        offsets.append(offsets[-1] + len(last))
    crossings += [{"frame": one.frame, "direction": one.direction} for one in counter.finish()]
    data = {
        "boxes": np.concatenate(boxes),
        "scores": np.concatenate(scores),
        "offsets": np.array(offsets),
        "fps": clip["fps"],
        "line": np.array(clip["line"]["a"] + clip["line"]["b"], float),
        "in_side": clip["line"]["in_side"],
    }
    return crossings, people, times, data


def still_ratio(path, model):
    """The pipeline on one frame shown again and again, against the network."""
    detector, scalers = SsdLite(find_model(model)), Scalers()
    frame, _ = next(iter(read_frames(path)))
    counter = PeopleCounter(detector, None)
    rgb = AvPicture(frame, scalers).rgb(Part(0, 0, frame.width, frame.height), INPUT_SIZE)
    bare, ours = [], []
    for index in range(300):
        start = time.perf_counter()
        picture = AvPicture(frame, scalers)
        counter.step(picture, index, index / 10, picture.grey(THUMB_WIDTH))
        ours.append(time.perf_counter() - start)
        if index % 10 == 0:
            start = time.perf_counter()
            detector.infer(rgb)
            bare.append(time.perf_counter() - start)
    return float(np.mean(ours) / np.mean(bare))


def duty(path, clip, fps=10):
    """What a camera costs in front of which somebody moves 5 % of the time: share of a core, decoding and all.

    The clip's beginning, while its truth says nobody is there, is played to and fro; in between people come.
    """
    people = sorted((int(frame), count) for frame, count in clip["people_per_frame"].items())
    first = next(frame for frame, count in people if count)
    last_empty = max(frame for frame, count in people if not count and frame < first)
    frames = [frame.to_ndarray(format="rgb24") for frame, _ in read_frames(path)]
    step = max(1, round(clip["fps"] / fps))
    quiet, moving = frames[: last_empty + 1 : step], frames[first : first + 10 * fps * step : step]
    still = list(islice(cycle(quiet + quiet[::-1]), 19 * len(moving)))
    half = len(still) // 2
    order = Order(
        str(path), (*clip["line"]["a"], *clip["line"]["b"]), clip["line"]["in_side"], view="oblique", max_fps=fps
    )
    with tempfile.TemporaryDirectory() as folder:
        film = write_clip(Path(folder) / "duty.mp4", [*still[:half], *moving, *still[half:]], fps)
        counting, seconds, start = Counting(order), 0.0, time.process_time()
        for frame, seconds in read_frames(film):  # the last one is used below
            counting.step(Fresh(frame, seconds, 0.0))
        return {
            "core_pct": 100 * (time.process_time() - start) / seconds,
            "moving_pct": 100 * len(moving) / (len(moving) + len(still)),
            "seconds": seconds,
            "detector": counting.detector_words,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--no-peers", action="store_true")
    chosen = parser.parse_args()
    truth = json.loads((chosen.folder / "ground_truth.json").read_text())
    python = None if chosen.no_peers else make_peers()
    report, totals = {}, {}
    print(f"{'clip':20} {'counter':12} {'hit':>4} {'false':>6} {'missed':>7} {'F1':>6} {'net':>4} {'MAE':>6}")
    for name, clip in truth.items():
        path = chosen.folder / clip["file"]
        view = "overhead" if "overhead" in clip.get("view", "") or "from above" in clip.get("view", "") else "oblique"
        crossings, people, times, data = run_clip(path, clip, view)
        results = {"ours": {"crossings": crossings, "people_per_frame": people}}
        if python is not None:
            with tempfile.NamedTemporaryFile(suffix=".npz") as file:
                np.savez(file, **data)
                file.flush()
                peers = [str(python), "-W", "ignore", str(ROOT / "bench" / "counting_peers.py"), file.name]
                results |= json.loads(subprocess.run(peers, check=True, capture_output=True, text=True).stdout)
        report[name] = {"view": view, "counters": {}}
        for counter, result in results.items():
            hit, false, missed, net = score(clip["crossings"], result["crossings"], clip["fps"])
            mae = mean_error(clip.get("people_per_frame", {}), result["people_per_frame"])
            f1 = 2 * hit / (2 * hit + false + missed) if hit + false + missed else None
            total = totals.setdefault(counter, [0, 0, 0])
            for place, value in enumerate((hit, false, missed)):
                total[place] += value
            report[name]["counters"][counter] = {
                "hit": hit,
                "false": false,
                "missed": missed,
                "f1": f1,
                "net_error": net,
                "mae": mae,
            }
            words = ["-" if value is None else f"{value:.3f}" for value in (f1, mae)]
            print(f"{name:20} {counter:12} {hit:4} {false:6} {missed:7} {words[0]:>6} {net:4} {words[1]:>6}")
        looked = times["ours"]
        report[name]["speed"] = {
            "bare_ms": 1e3 * float(np.median(times["bare"])),
            "ours_ms": 1e3 * float(np.median(looked)),
            "ratio_moving": float(np.median(looked) / np.median(times["bare"])),
            "gated_ms": 1e3 * float(np.median(times["still"])) if times["still"] else None,
            "gated_part": len(times["still"]) / len(people),
            "frames_per_s": len(people) / (sum(times["ours"]) + sum(times["still"])),
            "cpu_s_per_video_minute": times["cpu"] / (len(people) / clip["fps"]) * 60,
        }
    for counter, (hit, false, missed) in totals.items():
        print(f"{'all':20} {counter:12} {hit:4} {false:6} {missed:7} {2 * hit / max(1, 2 * hit + false + missed):6.3f}")
    print(f"\n{'clip':20} {'bare ms':>8} {'ours ms':>8} {'ratio':>6} {'gated':>6} {'frames/s':>9} {'CPU s/min':>10}")
    for name, one in report.items():
        speed = one["speed"]
        print(
            f"{name:20} {speed['bare_ms']:8.1f} {speed['ours_ms']:8.1f} {speed['ratio_moving']:6.2f} "
            f"{speed['gated_part']:6.0%} {speed['frames_per_s']:9.1f} {speed['cpu_s_per_video_minute']:10.1f}"
        )
    first = chosen.folder / next(iter(truth.values()))["file"]
    still = {name: still_ratio(first, model) for name, model in (("fp32", FP32), ("int8", INT8))}
    print(f"still frames, against the network: fp32 {still['fp32']:.3f}, int8 {still['int8']:.3f}")
    busy = duty(first, next(iter(truth.values())))
    print(
        f"a camera at 10 frames/s, somebody moving {busy['moving_pct']:.0f} % of {busy['seconds']:.0f} s: "
        f"{busy['core_pct']:.1f} % of one core ({busy['detector']})"
    )
    if chosen.out:
        found = {"clips": report, "still_ratio": still, "duty": busy, "totals": totals}
        chosen.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
