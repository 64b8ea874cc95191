"""Counts with `supervision` and `norfair` on detections made by our detector. Run by counting.py in their own venv.

Input: an .npz with boxes, scores, offsets (detections of frame i are offsets[i]:offsets[i+1]), fps, line, in_side.
Output on standard output: {"supervision": {...}, "norfair": {...}} in the form of a predictions file, with seconds.
"""

import json
import sys
import time

import norfair
import numpy as np
import supervision as sv

OUR_BIRTH = 0.30


def frames(data):
    offsets = data["offsets"]
    for index in range(len(offsets) - 1):
        part = slice(offsets[index], offsets[index + 1])
        yield index, data["boxes"][part], data["scores"][part]


def by_supervision(data):
    """ByteTrack and LineZone with the settings that their documentation shows, all corners off: the box's centre."""
    fps = float(data["fps"])
    tracker = sv.ByteTrack(track_activation_threshold=OUR_BIRTH, frame_rate=max(1, round(fps)))
    ax, ay, bx, by = (float(value) for value in data["line"])
    zone = sv.LineZone(sv.Point(ax, ay), sv.Point(bx, by), triggering_anchors=[sv.Position.CENTER])
    crossings, people = [], {}
    for index, boxes, scores in frames(data):
        found = sv.Detections(
            xyxy=boxes.astype(np.float32), confidence=scores.astype(np.float32), class_id=np.zeros(len(boxes), int)
        )
        tracked = tracker.update_with_detections(found)
        # Their "in" is from the right of the arrow to its left; which is ours is told by in_side.
        is_in, is_out = zone.trigger(tracked)
        to_left = "in" if str(data["in_side"]) == "left" else "out"
        to_right = "out" if to_left == "in" else "in"
        crossings += [{"frame": index, "direction": to_left}] * int(np.count_nonzero(is_in))
        crossings += [{"frame": index, "direction": to_right}] * int(np.count_nonzero(is_out))
        people[str(index)] = len(tracked)
    return crossings, people


def by_norfair(data):
    """Their tracker on centre points, distance in heights; a side is counted when the sign changes between the ends."""
    tracker = norfair.Tracker(distance_function=by_height, distance_threshold=0.6, hit_counter_max=15)
    ax, ay, bx, by = (float(value) for value in data["line"])
    sign = 1 if str(data["in_side"]) == "right" else -1
    length2 = (bx - ax) ** 2 + (by - ay) ** 2
    sides, crossings, people = {}, [], {}
    for index, boxes, scores in frames(data):
        sure = scores >= OUR_BIRTH
        found = [
            norfair.Detection(points=box.reshape(2, 2), scores=np.full(2, score))
            for box, score in zip(boxes[sure], scores[sure], strict=True)
        ]
        tracked = tracker.update(detections=found)
        for one in tracked:
            x, y = one.estimate.mean(axis=0)
            side = np.sign(((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * sign)
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2
            before = sides.get(one.id)
            if before is not None and side and before != side and 0 <= along <= 1:
                crossings.append({"frame": index, "direction": "in" if side > 0 else "out"})
            if side:
                sides[one.id] = side
        people[str(index)] = len(tracked)
    return crossings, people


def by_height(detection, track):
    height = max(1.0, track.estimate[1, 1] - track.estimate[0, 1])
    return float(np.linalg.norm(detection.points.mean(axis=0) - track.estimate.mean(axis=0)) / height)


def main():
    data = dict(np.load(sys.argv[1]))
    out = {}
    for name, count in (("supervision", by_supervision), ("norfair", by_norfair)):
        start = time.perf_counter()
        crossings, people = count(data)
        out[name] = {
            "crossings": crossings,
            "people_per_frame": people,
            "seconds": time.perf_counter() - start,
        }
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
