"""Make the course's environment: a virtual environment, the pinned packages, the package itself.

    python3 book/tools/install.py .venv                         from requirements.txt
    python3 book/tools/install.py .venv requirements-gpu.txt

Runs under any Python 3 with nothing installed, so that it can say what is missing. The packages are installed
by uv, which needs a third of pip's time; where uv fails, by pip.
"""

import ast
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)  # TensorFlow has no wheels for later ones


def check_python():
    """Stop with a clear message where this Python cannot make the environment."""
    found = f"Python {sys.version.split()[0]} at {sys.executable}"
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"The course needs Python 3.11 to 3.13; this is {found}.\n"
            "Name another one: make book PYTHON=python3.12"
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        sys.exit(
            "TensorFlow no longer runs on Macs with an Intel processor (its last version for them is 2.16).\n"
            "Use a Mac with Apple silicon, Linux, or Windows with WSL 2. If this Mac has Apple silicon,\n"
            f"this Python is one for Intel: {sys.executable}"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sys.exit(f"{found} cannot make virtual environments.\nOn Debian and Ubuntu: apt install python3-venv")


def make_environment(folder):
    """Create the virtual environment, or keep the one there if its Python still runs."""
    python = folder / "bin" / "python"
    if not python.exists() or subprocess.call([str(python), "-c", ""]) != 0:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    return python


def pip_install(python, *arguments, total=0):
    """Run pip install, print how far it is, and show its last lines if it fails."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", *arguments]
    lines, found = [], 0
    # A reader's "user = true" would install past the environment, and fails in one.
    environment = dict(os.environ, PIP_USER="0")
    pip = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    for line in pip.stdout:
        lines.append(line)
        if line.startswith("Collecting "):
            found += 1
            if found % 25 == 0:
                print(f"      {found} of about {total} packages", flush=True)
        elif line.startswith("Installing collected packages") and total:
            print("      unpacking them (about 3.9 GB; a minute or two)", flush=True)
    if pip.wait():
        sys.exit("".join(lines[-40:]) + "\npip failed: " + " ".join(command))


def as_uv_reads_it(settings):
    """Where pip looks for packages, in the variables that tell uv the same; it reads no settings of pip."""
    found = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip: all places are equal, the hash decides
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "proxy": "ALL_PROXY"}
    names["cert"] = "SSL_CERT_FILE"
    for name, variable in names.items():
        if settings.get(name):
            found[variable] = " ".join(settings[name].split())
    if settings.get("find-links"):
        found["UV_FIND_LINKS"] = ",".join(settings["find-links"].split())
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        found["UV_NO_INDEX"] = "1"
    return found


def pip_settings(python):
    """pip's settings, from its files and from the environment, by their short names."""
    command = [str(python), "-m", "pip", "config", "list", "--disable-pip-version-check"]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [line.partition("=") for line in said.stdout.splitlines() if "=" in line]
    order = ("global.", "install.", ":env:.")  # the later ones overrule
    settings = {}
    for level in order:
        for name, _, value in lines:
            if name.startswith(level):
                settings[name[len(level) :]] = str(ast.literal_eval(value))
    return settings


def uv_install(python, lock):
    """Install a lock with uv, which the lock pins too; False, with the reason, if that failed."""
    text = (lock.parent / "requirements.txt").read_text()
    pinned = re.search(r"^uv==(?:.*\\\n)*.*\n", text, re.MULTILINE).group()
    with tempfile.TemporaryDirectory() as folder:
        only = Path(folder) / "uv.txt"
        only.write_text(pinned)
        pip_install(python, "--require-hashes", "--no-deps", "-r", str(only))
    environment = dict(os.environ, **as_uv_reads_it(pip_settings(python)))
    command = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    command += ["--require-hashes", "-r", str(lock)]
    uv = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if uv.returncode:
        print("      uv could not install them:", *uv.stdout.splitlines()[-4:], sep="\n        ")
    return uv.returncode == 0


def main():
    """Make the environment in the folder and from the lock named on the command line."""
    check_python()
    folder, lock_name = [*sys.argv[1:], "requirements.txt"][:2]
    folder = Path(folder)
    root = Path(__file__).resolve().parents[2]
    lock = root / lock_name
    texts = [file.read_text() for file in {lock, root / "requirements.txt"}]
    total = len(set(re.findall(r"^([a-z0-9._-]+)==", "\n".join(texts), re.MULTILINE)))
    python = make_environment(folder)
    print(f"      {total} packages, about 3.9 GB: a minute or two, longer on a slow line", flush=True)
    if not uv_install(python, lock):
        print("      pip tries now", flush=True)
        pip_install(python, "--require-hashes", "-r", str(lock), total=total)
    pip_install(python, "--no-deps", "--no-build-isolation", "-e", str(root))
    print(f"      the environment is in {folder}", flush=True)


if __name__ == "__main__":
    main()
