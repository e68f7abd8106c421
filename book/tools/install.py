"""Make the course's environment: a virtual environment, the pinned packages, the package itself.

    python3 book/tools/install.py .venv                         from requirements.txt
    python3 book/tools/install.py .venv requirements-gpu.txt

Runs under any Python 3 with nothing installed, so that it can say what is missing.
"""

import re
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def check_python():
    """Stop with a clear message where this Python cannot make the environment."""
    found = f"Python {sys.version.split()[0]} at {sys.executable}"
    if sys.version_info < OLDEST:
        sys.exit(
            f"The course needs Python {OLDEST[0]}.{OLDEST[1]} or later; this is {found}.\n"
            "Name another one: make book PYTHON=python3.12"
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
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
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


def main():
    """Make the environment in the folder and from the lock named on the command line."""
    check_python()
    folder, lock_name = [*sys.argv[1:], "requirements.txt"][:2]
    folder = Path(folder)
    root = Path(__file__).resolve().parents[2]
    lock = root / lock_name
    total = len(set(re.findall(r"^([a-z0-9._-]+)==", lock.read_text(), re.MULTILINE)))
    python = make_environment(folder)
    pip_install(python, "--require-hashes", "-r", str(lock), total=total)
    pip_install(python, "--no-deps", "--no-build-isolation", "-e", str(root))
    print(f"      the environment is in {folder}", flush=True)


if __name__ == "__main__":
    main()
