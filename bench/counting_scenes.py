"""Counting in drawn scenes whose truth is known, by what people do at the line: cross, turn, stop, walk along it, …

    python bench/counting_scenes.py [--scenes corridor,hall,doorway] [--conducts a,b] [--seeds 3] [--first 100]
                                    [--light 1.0] [--noise 2] [--fps 10] [--boxes] [--cache DIR] [--json OUT.json]

Each case is a scene in which everybody does the same. `--boxes` leaves the pictures out and gives tracker and line what
a detector might find (boxes that jitter, dips, people hidden behind each other, ghosts): thousands in minutes.
"""

import argparse
import json
import pickle
from pathlib import Path

import numpy as np
from counting import score
from counting_variants import KeptNetwork

from edge_agent.counting.av_picture import Scalers, from_array
from edge_agent.counting.geometry import covered
from edge_agent.counting.line import Line, LineCounter
from edge_agent.counting.overhead import FROM_ABOVE, Overhead
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.counting.tracker import Detections, Tracker, TrackerSettings
from simulators.cameras.above import Doorway, draw_doorway
from simulators.cameras.hall import EVERY_CONDUCT, Hall, draw_hall
from simulators.cameras.scene import Corridor, draw_corridor

CONDUCTS = {
    "corridor": ("pass", "turn", "wait", "along"),
    "hall": EVERY_CONDUCT,
    "doorway": ("pass", "turn", "stop", "stop_back", "along", "abreast", "file", "meet"),
}
FLOORS = ("tiles", "plain", "planks", "carpet", "step")


def make(kind, conduct, seed, chosen):
    scene = {"light": chosen.light, "noise": chosen.noise}
    if kind == "corridor":
        return Corridor.random(seed, walkers=4, behaviours=(conduct,), gap_s=(3.0, 6.0), **scene)
    if kind == "hall":
        return Hall.random(seed, comers=4, conducts=(conduct,), fps=chosen.fps, **scene)
    floor = FLOORS[seed % len(FLOORS)]
    return Doorway.random(seed, passers=5, conducts=("pass", conduct), floor=floor, fps=chosen.fps, **scene)


def draw(kind, scene):
    return {"corridor": draw_corridor, "hall": draw_hall, "doorway": draw_doorway}[kind](scene)


def by_pictures(kind, scene, store):
    network = KeptNetwork(store)
    detector = Overhead(network) if kind == "doorway" else network
    scalers = Scalers()
    counter, found = PeopleCounter(detector, Line(*scene.line, scene.in_side)), []
    for index, rgb in enumerate(draw(kind, scene)):
        seen = counter.step(from_array(rgb, scalers), index, index / scene.fps)
        found += [{"frame": one.frame, "direction": one.direction} for one in seen.crossings]
    found += [{"frame": one.frame, "direction": one.direction} for one in counter.finish()]
    return found, network.is_new


def true_boxes(kind, scene, second):
    """Whole people, the farthest first."""
    if kind == "corridor":
        return scene.boxes(second)
    if kind == "hall":
        found = [box for comer in scene.comers if (box := scene.box(comer, second)) is not None]
        return sorted(found, key=lambda box: box[3])
    half = 72
    places = [place for one in scene.passers if (place := one.place_at(second)) is not None]
    return [(x - half, y - half, x + half, y + half) for x, y in places]


def as_detected(boxes, size, random, dips):
    """What a network makes of it: cut by the frame, hidden behind others, off by a twentieth, sometimes not at all."""
    whole = np.array(boxes, float).reshape(-1, 4)
    seen = np.clip(whole, 0, (*size, *size))
    found, scores = [], []
    for place, box in enumerate(seen):
        area = max(box[2] - box[0], 0) * max(box[3] - box[1], 0)
        full = (whole[place, 2] - whole[place, 0]) * (whole[place, 3] - whole[place, 1])
        is_hidden = len(seen) > place + 1 and covered(box[None], seen[place + 1 :]).max() > 0.7
        dips[place] = max(0, dips.get(place, 0) - 1)
        if random.random() < 0.05:
            dips[place] = int(random.integers(1, 4))
        if area < 0.35 * full or is_hidden or dips[place]:
            continue
        jitter = random.normal(0, 0.025 * (box[3] - box[1]), 4)
        found.append(np.clip(box + jitter, 0, (*size, *size)))
        scores.append(random.uniform(0.35, 0.95))
    if random.random() < 0.03:
        x, y, tall = random.uniform(0, size[0]), random.uniform(0, size[1]), random.uniform(40, 120)
        found.append((x, y, x + 0.4 * tall, y + tall))
        scores.append(random.uniform(0.15, 0.4))
    return Detections(np.array(found, float).reshape(-1, 4), np.array(scores, float))


def by_boxes(kind, scene, seed):
    random, dips, found = np.random.default_rng(seed), {}, []
    settings = FROM_ABOVE if kind == "doorway" else TrackerSettings()
    tracker, counter = Tracker(settings), LineCounter(Line(*scene.line, scene.in_side))
    size = (640, 480) if kind == "doorway" else (640, 360)
    for index in range(scene.frames):
        now = index / scene.fps
        detections = as_detected(true_boxes(kind, scene, now), size, random, dips)
        tracks = tracker.step(detections, now)
        alive = {track.number for track in tracker.tracks}
        found += [{"frame": one.frame, "direction": one.direction} for one in counter.step(tracks, alive, index, now)]
    found += [{"frame": one.frame, "direction": one.direction} for one in counter.finish()]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=",".join(CONDUCTS))
    parser.add_argument("--conducts", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--light", type=float, default=1.0)
    parser.add_argument("--noise", type=float, default=2.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--boxes", action="store_true")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    chosen = parser.parse_args()
    wanted = set(filter(None, chosen.conducts.split(",")))
    report, wrong = {}, []
    for kind in chosen.scenes.split(","):
        for conduct in CONDUCTS[kind]:
            if wanted and conduct not in wanted:
                continue
            sums = np.zeros(4, int)
            for seed in range(chosen.first, chosen.first + chosen.seeds):
                scene = make(kind, conduct, seed, chosen)
                truth = [{"frame": frame, "direction": side} for frame, side in scene.crossings()]
                if chosen.boxes:
                    found = by_boxes(kind, scene, seed)
                else:
                    name = f"{kind}-{conduct}-{seed}-{chosen.light}-{chosen.noise}-{chosen.fps}.pickle"
                    file = chosen.cache / name if chosen.cache else None
                    # Our own file, made by an earlier run.
                    store = pickle.loads(file.read_bytes()) if file and file.is_file() else {}
                    found, is_new = by_pictures(kind, scene, store)
                    if file and is_new:
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_bytes(pickle.dumps(store))
                # Who stands on the line has no one frame in which he passes it.
                one = score(truth, found, scene.fps, 6.0 if conduct == "stop" else 1.5)
                sums += one
                if one[1] or one[2]:
                    wrong.append(f"{kind}/{conduct}/{seed}:+{one[1]}-{one[2]}")
            hit, false, missed, net = (int(value) for value in sums)
            f1 = 2 * hit / (2 * hit + false + missed) if hit + false + missed else 1.0
            report[f"{kind} {conduct}"] = {"hit": hit, "false": false, "missed": missed, "net_error": net, "f1": f1}
            print(f"{kind:9} {conduct:10} {hit:5} hit {false:4} false {missed:4} missed  F1 {f1:.3f}", flush=True)
    hit, false, missed = (sum(one[key] for one in report.values()) for key in ("hit", "false", "missed"))
    print(f"over all: {hit} hit, {false} false, {missed} missed, F1 {2 * hit / max(1, 2 * hit + false + missed):.4f}")
    print("wrong:", " ".join(wrong[:40]))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
