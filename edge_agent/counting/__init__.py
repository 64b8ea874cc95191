"""Counts people in a camera's pictures: detect, track, cross, count. Pictures never leave the process.

From 1.32 ONNX Runtime's Linux wheels keep a device id in the user's cache and send usage to their maker. The variable
has to be set before the library loads anywhere, so it is set here.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
