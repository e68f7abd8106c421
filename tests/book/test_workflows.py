"""The files that run the course elsewhere: they parse, and they name no machine of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETTINGS = [ROOT / "_config.yml", ROOT / "_toc.yml"]


def test_there_are_workflows():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "gpu.yml"]


@pytest.mark.parametrize("path", [*WORKFLOWS, *SETTINGS], ids=lambda path: path.name)
def test_yaml_parses(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_workflows_follow_their_schema():
    """The published schema of workflows: names of keys, kinds of values, expressions where they may stand."""
    command = [str(Path(sys.executable).with_name("check-jsonschema"))]
    command += ["--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_push_does_not_cut_off_a_publish_and_the_cache_outlives_a_change():
    settings = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert settings["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    (cache,) = [
        s for s in settings["jobs"]["test"]["steps"] if str(s.get("uses")).startswith("actions/cache")
    ]
    assert cache["with"]["key"].startswith(cache["with"]["restore-keys"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_has_jobs_with_steps(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    for name, job in jobs.items():
        assert job["runs-on"], name
        assert all("run" in step or "uses" in step for step in job["steps"]), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_scripts_of_a_workflow_exist(path):
    named = re.findall(r"(?:bash|python3?) ((?:[\w.-]+/)+[\w.-]+)", path.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_ci_script_is_valid_bash():
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)


def test_build_files_name_no_index_and_no_folder_of_a_machine():
    files = [*WORKFLOWS, *SETTINGS, ROOT / ".ci" / "run", ROOT / "Makefile"]
    for path in [*files, *(ROOT / "book" / "tools").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for setting in ('"index-url": "UV_DEFAULT_INDEX"', '"extra-index-url": "UV_INDEX"'):
            text = text.replace(setting, "")  # install.py hands them on by name
        assert not re.search(r"/(home|Users|work|opt)/|index-url|extra-index", text), path.name
