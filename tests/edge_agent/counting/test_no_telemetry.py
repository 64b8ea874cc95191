"""Nothing of a gateway reports to anybody's telemetry, however counting is started."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# The first look for the library must find its telemetry switched off: later would be too late.
WATCH = """
import os, sys
class Watch:
    def find_spec(name, path=None, target=None):
        if name == "onnxruntime" and os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
            os._exit(3)
sys.meta_path.insert(0, Watch)
import edge_agent.counting.ssdlite
assert "onnxruntime" in sys.modules
"""


def test_the_library_is_told_before_it_is_loaded() -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    assert subprocess.run([sys.executable, "-c", WATCH], check=False, env=environment).returncode == 0


def test_only_the_counting_loads_the_library() -> None:
    loads = re.compile(r"^\s*(?:import|from) onnxruntime\b", re.MULTILINE)
    found = {
        path.relative_to(ROOT).parts[:2]
        for folder in ("edge_agent", "hub", "simulators", "wire", "firmware_profiles")
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts and loads.search(path.read_text(encoding="utf-8"))
    }
    assert found == {("edge_agent", "counting")}
