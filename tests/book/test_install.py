"""Setting up: what cannot work is said at once, and a reader's own settings do no harm."""

import subprocess
import sys
from pathlib import Path

import install
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0), (3, 7, 2), (4, 0, 0)])
def test_a_python_that_tensorflow_has_no_packages_for_is_refused_at_once(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(
        SystemExit, match=r"(?s)Python 3\.11 to 3\.13.*make book PYTHON=python3\.12"
    ) as stopped:
        install.check_python()
    assert sys.executable in str(stopped.value)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 13, 9)])
def test_the_others_are_accepted(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    install.check_python()


def test_a_mac_with_an_intel_processor_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(install.platform, "machine", lambda: "x86_64")
    with pytest.raises(SystemExit, match="Intel processor"):
        install.check_python()
    monkeypatch.setattr(install.platform, "machine", lambda: "arm64")
    install.check_python()


def test_pips_user_setting_does_not_reach_the_environment(monkeypatch, tmp_path):
    """``user = true`` in pip's configuration makes an installation into an environment fail."""
    seen = []
    monkeypatch.setenv("PIP_USER", "1")

    class Pip:
        stdout = ()

        def __init__(self, command, env, **options):
            seen.append(env["PIP_USER"])

        def wait(self):
            return 0

    monkeypatch.setattr(install.subprocess, "Popen", Pip)
    install.pip_install(Path("python"), "something")
    assert seen == ["0"]


def test_uv_looks_where_pip_would_look():
    settings = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "\nhttps://one.example/simple\nhttps://two.example/simple",
        "find-links": "/media/stick/wheelhouse",
        "no-index": "true",
        "timeout": "60",
    }
    assert install.as_uv_reads_it(settings) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/media/stick/wheelhouse",
        "UV_NO_INDEX": "1",
    }
    assert "UV_NO_INDEX" not in install.as_uv_reads_it({"no-index": "false"})


def test_pips_settings_are_read_from_files_and_the_environment(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://a.example\nfind-links =\n  /one\n  /two\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://b.example/it's")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    settings = install.pip_settings(Path(sys.executable))
    assert settings["index-url"] == "https://b.example/it's"
    assert settings["find-links"].split() == ["/one", "/two"]


@pytest.mark.parametrize("works", [True, False])
def test_where_uv_fails_pip_installs(monkeypatch, capsys, tmp_path, works):
    asked = []
    monkeypatch.setattr(sys, "argv", ["install.py", str(tmp_path)])
    monkeypatch.setattr(install, "make_environment", lambda folder: Path(sys.executable))
    monkeypatch.setattr(install, "pip_install", lambda python, *options, total=0: asked.append(options))
    run = subprocess.run

    def without_uv(command, **options):
        if "uv" not in command:
            return run(command, **options)
        assert options["env"]["UV_INDEX_STRATEGY"] and "--require-hashes" in command
        return subprocess.CompletedProcess(command, 0 if works else 2, "no route to the index")

    monkeypatch.setattr(install.subprocess, "run", without_uv)
    install.main()
    first, *others = asked
    assert first[:3] == ("--require-hashes", "--no-deps", "-r") and first[3].endswith("uv.txt")
    whole = [options for options in others if str(ROOT / "requirements.txt") in options]
    assert len(whole) == (0 if works else 1)
    assert ("no route to the index" in capsys.readouterr().out) is not works


def test_the_same_versions_of_python_are_named_everywhere():
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in settings
    for name in ("README.md", "book/index.md", "book/how-to-use.md"):
        assert "Python 3.11, 3.12 or 3.13" in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_lock_for_graphics_cards_adds_to_that_of_every_reader():
    lines = (ROOT / "requirements-gpu.txt").read_text(encoding="utf-8").splitlines()
    assert "-r requirements.txt" in lines
    own = {line.partition("==")[0] for line in lines if line[:1].isalpha()}
    every = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert own and not own & {line.partition("==")[0] for line in every}
    assert all(name.startswith("nvidia-") for name in own)


@pytest.mark.parametrize(("user", "allowed"), [("0", True), ("1000", False)])
def test_jupyterlab_starts_in_a_container_too(tmp_path, user, allowed):
    """As root JupyterLab refuses to start unless it is told that this is meant."""
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (tmp_path / "id").chmod(0o755)
    shown = subprocess.run(["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
    (line,) = [part for part in shown.splitlines() if "allow-root" in part]
    script = f'PATH="{tmp_path}:$PATH"; {line.strip().partition("#")[0]}'
    said = subprocess.run(
        ["sh", "-c", f"echo {script[script.index('$([') :]}"],
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert ("--allow-root" in said.stdout) is allowed
