"""Write requirements-gpu.txt: the lock of every reader, and the packages that a graphics card needs besides.

python3 book/tools/lock_gpu.py uv        called by `make lock`
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
# The lock of every reader, and what TensorFlow needs besides on a machine with an NVIDIA card (Linux).
# Made by `make lock`.
-r requirements.txt
"""


def entries(text: str) -> dict[str, str]:
    """Name of each requirement -> its lines, hashes included, comments left out."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            name = re.match(r"[^ ;=\[]+", line)[0]
            found[name] = ""
        found[name] += line + "\n"
    return found


def main() -> None:
    """Resolve with the extra, within the lock, and keep what the lock does not hold."""
    lock = ROOT / "requirements.txt"
    command = [sys.argv[1], "pip", "compile", "pyproject.toml", "--group", "book", "--group", "test"]
    command += ["--group", "gpu", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--constraint", str(lock), "--no-header"]
    resolved = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    known = entries(lock.read_text())
    own = [text for name, text in entries(resolved).items() if name not in known]
    (ROOT / "requirements-gpu.txt").write_text(HEAD + "".join(own))


if __name__ == "__main__":
    main()
