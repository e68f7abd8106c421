"""Pictures with captions from a folder: Flickr8k, COCO, and your own pictures with a CSV table.

Nothing is downloaded. What is wrong with a folder is reported all at once, each problem with the file, the
line or the record it stands in, and what to do. See ``book/datasheets/full-data.md`` and
``book/datasheets/own-data.md``.
"""

import csv
import hashlib
import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from mmcourse import image, pipeline

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)
SPLIT_SEED = 20_240_229
MOST_TABLE_BYTES, MOST_JSON_BYTES = 64 * 2**20, 512 * 2**20
MOST_PICTURE_BYTES = 64 * 2**20
UTF8_HINT = "'CSV UTF-8' in a spreadsheet"
SHOWN = 10  # problems in one message
# The columns of a table, each with the names that other tools give it.
COLUMNS = {
    "picture": ("picture", "image", "file_name", "filename", "file", "path", "image_path"),
    "caption": ("caption", "text", "description", "sentence", "title"),
}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# A row of Flickr8k's captions that no archive holds: published so, and worked around in many scripts.
KNOWN_GHOSTS = ("2258277193_586949ec62.jpg.1",)
FULL_SHEET, OWN_SHEET = "book/datasheets/full-data", "book/datasheets/own-data"


class CaptionsError(ValueError):
    """A folder of pictures and captions that cannot be used.

    Attributes:
        problems: every problem that was found; the message shows the first ten.
    """

    def __init__(self, problems: Iterable[str]):
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = list(self.problems[:SHOWN])
        if count > SHOWN:
            lines.append(f"… and {count - SHOWN:,} more (the attribute problems has them all)")
        head = [] if count == 1 else [f"{count:,} problems:"]
        super().__init__("\n".join([*head, *lines]))


@dataclass(frozen=True)
class CaptionedPictures(pipeline.HasSplits):
    """Pictures, the captions of each, and splits by picture, so that none stands in two of them.

    Attributes:
        paths: the file of each picture, each once.
        captions: the captions of each picture, one at least.
        splits: "train", "validation", "test" -> indices of pictures, ``int64``, sorted, disjoint.
        tier: "full" for a published set, "own" for your own.
        datasheet: the page of the book that describes the set, or that your own is to be described on.
    """

    paths: tuple[Path, ...]
    captions: tuple[tuple[str, ...], ...]
    splits: dict[str, np.ndarray]
    tier: str
    datasheet: str

    def pairs(self, split: str) -> tuple[np.ndarray, list[str]]:
        """Every caption of a split with its picture: indices of pictures, ``int64``, and the captions.

        Raises:
            ValueError: there is no such split.
        """
        rows = [(i, caption) for i in self.split(split) for caption in self.captions[i]]
        return np.array([i for i, _ in rows], dtype=np.int64), [caption for _, caption in rows]

    def pictures(self, indices: Iterable[int], size: int) -> np.ndarray:
        """Decode pictures, only now, by :func:`mmcourse.image.read`: ``uint8`` ``(pictures, size, size, 3)``.

        Raises:
            CaptionsError: a picture cannot be read.
            ValueError: ``size`` is not positive.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        found, problems = [], []
        for i in indices:
            try:
                found.append(_read_picture(self.paths[i], size))
            except (OSError, image.PictureError) as error:
                problems.append(f"picture {i}: {error}; replace the file or leave it out")
        if problems:
            raise CaptionsError(problems)
        return np.stack(found) if found else np.zeros((0, size, size, 3), np.uint8)


def read(
    folder: str | Path, table: str = "captions.csv", seed: int = SPLIT_SEED, encoding: str | None = None
) -> CaptionedPictures:
    """Your own pictures: a folder with a table of their captions.

    The table is a CSV file with a first line that names the columns: ``picture`` (path below the folder, with
    ``/``), ``caption`` and, if you like, ``split`` (train, validation or test). Names that other tools use
    (:data:`COLUMNS`) will do, and so will semicolons or tabs in the place of commas, where the first line
    shows it, and a line ``sep=;`` before it. Other columns are left alone. A picture with several captions
    has several lines. Without a column ``split``, a tenth of the pictures is drawn for validation and a tenth
    for the test.

    Every picture is opened once, so that an unreadable one is found now and not in the middle of a training.

    Args:
        folder: holds the table and the pictures.
        table: name of the CSV file.
        seed: of the drawn splits.
        encoding: of the table, such as "gbk"; by default UTF-8, refused where it looks like something else.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such folder.
        LookupError: there is no such encoding.
        CaptionsError: the table or a picture is wrong; all problems at once, with their line numbers.
    """
    folder = _checked_folder(folder)
    name = folder / table
    rows, with_split = _own_rows(name, encoding)
    problems: list[str] = []
    paths: dict[str, Path] = {}
    captions: dict[str, list[str]] = {}
    split_of: dict[str, tuple[str, int]] = {}
    contents: dict[str, tuple[str, int]] = {}
    seen: dict[tuple[str, str], int] = {}
    broken: set[str] = set()
    for line, picture, caption, split in rows:
        where = f"{name}, line {line}"
        if not caption:
            problems.append(f"{where}: the caption of {picture!r} is empty; write one or delete the line")
        if with_split and split not in SPLITS:
            problems.append(f"{where}: the split is {split!r}; expected one of: {', '.join(SPLITS)}")
        if not picture:
            problems.append(f"{where}: no picture is named; write its path below {folder}")
            continue
        if (picture, caption) in seen and caption:
            problems.append(
                f"{where}: the same picture and caption stand in line {seen[picture, caption]}; delete one"
            )
        seen.setdefault((picture, caption), line)
        if picture in split_of and split_of[picture][0] != split:
            first, first_line = split_of[picture]
            problems.append(
                f"{where}: {picture!r} is in the split {split!r} here and in {first!r} in line {first_line}; "
                "a picture belongs to one split"
            )
        if picture not in split_of:
            split_of[picture] = (split, line)
            path, problem = _inside(folder, picture)
            if not problem:
                content, problem = _check_picture(path)
                if not problem and content in contents:
                    other, other_line = contents[content]
                    problem = (
                        f"is the same file, byte for byte, as {other!r} in line {other_line}; give both "
                        "captions to one of them, so that it cannot stand in two splits"
                    )
                if not problem:
                    contents[content] = (picture, line)
            if problem:
                problems.append(f"{where}: {picture!r} {problem}")
                broken.add(picture)
            paths[picture] = path
        captions.setdefault(picture, []).append(caption)
    if problems:
        raise CaptionsError(problems)
    if with_split:
        splits = {name: [i for i, p in enumerate(paths) if split_of[p][0] == name] for name in SPLITS}
        empty = [split for split in SPLITS if not splits[split]]
        if empty:
            raise CaptionsError(
                f"{name}: the split {split!r} holds no picture; move some there, or leave the column "
                "'split' out to have the splits drawn"
                for split in empty
            )
    else:
        if len(paths) < 3:
            raise CaptionsError(
                [f"{name}: {len(paths)} pictures cannot fill three splits; give three or more"]
            )
        splits = _draw(len(paths), seed)
    return CaptionedPictures(
        paths=tuple(paths.values()),
        captions=tuple(tuple(captions[picture]) for picture in paths),
        splits={name: np.array(rows, dtype=np.int64) for name, rows in splits.items()},
        tier="own",
        datasheet=OWN_SHEET,
    )


def flickr8k(folder: str | Path, seed: int | None = None) -> CaptionedPictures:
    """Flickr8k (Hodosh et al., 2013), from the folder it was unpacked to.

    Expected are the captions, ``Flickr8k.token.txt`` (or ``captions.txt`` with a head line
    ``image,caption``); the published splits, ``Flickr_8k.trainImages.txt``, ``….devImages.txt`` and
    ``….testImages.txt``; and the pictures, in a folder ``Flicker8k_Dataset`` (so spelled) or ``Images``, or
    beside the captions. Pictures that stand in no published split are left out.

    Args:
        folder: holds all of these.
        seed: if given, splits are drawn with it instead of the published ones, for copies without them.
            Scores cannot be compared with published ones then.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such folder.
        CaptionsError: a file is missing or wrong; all problems at once.
    """
    folder = _checked_folder(folder)
    captions = _flickr_captions(folder)
    pictures = next((folder / n for n in ("Flicker8k_Dataset", "Images") if (folder / n).is_dir()), folder)
    problems: list[str] = []
    if seed is None:
        splits, places = {}, {}
        for split, part in zip(SPLITS, ("train", "dev", "test"), strict=True):
            name = folder / f"Flickr_8k.{part}Images.txt"
            try:
                lines = _read_text(name, MOST_TABLE_BYTES).splitlines()
            except CaptionsError as error:
                problems += [
                    f"{problem} (or give a seed, to draw splits of your own)" for problem in error.problems
                ]
                continue
            splits[split] = []
            for line, picture in enumerate(lines, start=1):
                picture = picture.strip()
                if not picture:
                    continue
                if picture in places:
                    problems.append(f"{name}, line {line}: {picture!r} stands in {places[picture]} already")
                    continue
                places[picture] = f"{name.name}, line {line}"
                if picture not in captions:
                    problems.append(f"{name}, line {line}: there is no caption for {picture!r}")
                splits[split].append(picture)
            if not splits[split]:
                problems.append(f"{name}: the split {split!r} holds no picture")
        chosen = list(places)
    else:
        chosen = sorted(captions)
        if len(chosen) < 3:
            raise CaptionsError([f"{folder}: {len(chosen)} pictures cannot fill three splits"])
        splits = {name: [chosen[i] for i in rows] for name, rows in _draw(len(chosen), seed).items()}
    problems += _missing(pictures, chosen)
    if problems:
        raise CaptionsError(problems)
    return _assemble(pictures, chosen, captions, splits)


def coco(
    folder: str | Path, year: int = 2017, held_out: float = 0.05, seed: int = SPLIT_SEED
) -> CaptionedPictures:
    """COCO captions (Chen et al., 2015), from the folder the archives were unpacked to.

    Expected are ``annotations/captions_train2017.json`` and ``annotations/captions_val2017.json`` with the
    pictures in ``train2017`` and ``val2017``. The captions of COCO's own test part are not public, so its
    validation part is the test here, and a part of the training pictures is drawn for validation.

    Args:
        folder: holds these.
        year: 2017 or 2014, as in the names.
        held_out: share of the training pictures that becomes the validation split.
        seed: of that draw.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such folder.
        CaptionsError: a file is missing or wrong; all problems at once, with the numbers of the records.
        ValueError: ``held_out`` is not between 0 and 1.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out must be between 0 and 1, got {held_out}")
    folder = _checked_folder(folder)
    problems: list[str] = []
    captions: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for part in ("train", "val"):
        name, below = folder / "annotations" / f"captions_{part}{year}.json", f"{part}{year}"
        try:
            found = _coco_captions(name)
        except CaptionsError as error:
            problems += error.problems
            continue
        parts[part] = [f"{below}/{file}" for file in found]
        captions |= {f"{below}/{file}": texts for file, texts in found.items()}
        problems += _missing(folder / below, found)
        if len(found) < (2 if part == "train" else 1):
            problems.append(f"{name}: {len(found)} pictures with captions are too few to fill the splits")
    if problems:
        raise CaptionsError(problems)
    order = np.random.default_rng(seed).permutation(len(parts["train"]))
    count = min(max(1, round(held_out * len(order))), len(order) - 1)
    validation = {parts["train"][i] for i in order[:count]}
    splits = {
        "train": [p for p in parts["train"] if p not in validation],
        "validation": [p for p in parts["train"] if p in validation],
        "test": parts["val"],
    }
    return _assemble(folder, [*parts["train"], *parts["val"]], captions, splits)


def statistics() -> dict[str, int | float]:
    """The bounds within which a folder of your own is read."""
    return {
        "columns that the table must have": len(COLUMNS),
        "MiB of the table, at most": MOST_TABLE_BYTES // 2**20,
        "MiB of a picture's file, at most": MOST_PICTURE_BYTES // 2**20,
        "pixels of a picture, at most": image.MAX_PIXELS,
        "pictures, at least": len(SPLITS),
        "share of the pictures drawn for training": SHARES[0],
        "share of the pictures drawn for validation": SHARES[1],
        "share of the pictures drawn for the test": SHARES[2],
        "problems shown in one message": SHOWN,
    }


# Files


def _checked_folder(folder: str | Path) -> Path:
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}; give the one that holds the pictures")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; give the folder that holds the pictures")
    return folder


def _read_text(path: Path, most: int, encoding: str | None = None) -> str:
    """A text file of bounded size, in the encoding given; by default UTF-8, with a byte order mark or not."""
    try:
        size = path.stat().st_size
        if size > most:
            raise CaptionsError([f"{path}: {size:,} bytes, expected at most {most:,}; split the table"])
        content = path.read_bytes()
    except FileNotFoundError:
        raise CaptionsError([f"{path}: there is no such file"]) from None
    except OSError as error:
        raise CaptionsError([f"{path}: cannot be read ({error.strerror})"]) from error
    if encoding is None and content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CaptionsError(
            [f"{path}: is written in UTF-16; give encoding='utf-16', or save it as UTF-8 ({UTF8_HINT})"]
        )
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CaptionsError(
            [
                f"{path}, line {line}: is not {encoding or 'UTF-8'} (byte 0x{content[error.start]:02x}); "
                f"save it as UTF-8 ({UTF8_HINT}), or give its encoding: encoding='gbk' for Chinese Windows, "
                "'cp1252' for Western European"
            ]
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CaptionsError([f"{path}, line {line}: holds a zero byte; it is no text file"])
    if encoding is None:
        _check_encoding(path, content, text)
    return text


def _check_encoding(path: Path, content: bytes, text: str) -> None:
    """Refuse a table in GBK whose bytes happen to be UTF-8 too: several scripts in one word.

    A pair of bytes that is one Chinese character in GBK can be one letter of Cyrillic, Hebrew or the like in
    UTF-8, and short tables can consist of such pairs.
    """
    for number, line in enumerate(content.split(b"\n"), start=1):
        for word in re.findall(rb"[\x80-\xff]{4,}", line):
            letters = word.decode("utf-8", "ignore")
            scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters if letter.isalpha()}
            try:
                chinese = word.decode("gb2312")
            except UnicodeDecodeError:
                continue
            if len(scripts) > 1 and "CJK" not in scripts:
                raise CaptionsError(
                    [
                        f"{path}, line {number}: {letters!r} reads like a text in GBK, {chinese!r}; give "
                        f"encoding='gbk' if it is, encoding='utf-8' if it is not, or save the table as UTF-8 "
                        f"({UTF8_HINT})"
                    ]
                )


def _csv_rows(path: Path, text: str, separator: str = ",") -> list[tuple[int, list[str]]]:
    """The rows of a CSV table, each with the number of the line it begins on; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    rows, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise CaptionsError(
            [
                f"{path}, line {line}: {error}; look for a quotation mark that is not closed (inside "
                'quotation marks, one is written twice: "")'
            ]
        ) from error
    return rows


def _separator(text: str) -> str:
    """What separates the cells: what a line ``sep=`` says, or what the first line holds most of."""
    said = re.match(r"sep=(.)\r?\n", text)
    if said and said[1] in SEPARATORS:
        return said[1]
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _own_rows(path: Path, encoding: str | None) -> tuple[list[tuple[int, str, str, str]], bool]:
    """(line, picture, caption, split) of each row of the reader's own table, and whether it has splits."""
    text = _read_text(path, MOST_TABLE_BYTES, encoding)
    separator = _separator(text)
    rows = _csv_rows(path, text, separator)
    if rows and rows[0][1][0].startswith("sep="):
        del rows[0]
    if not rows:
        raise CaptionsError([f"{path}: the table is empty; its first line must be: picture,caption"])
    line, heads = rows[0]
    heads = [head.lower() for head in heads]
    for column, names in COLUMNS.items():
        found = [head for head in heads if head in names]
        if column not in heads and len(set(found)) == 1:
            heads[heads.index(found[0])] = column
    missing = [column for column in COLUMNS if column not in heads]
    if missing:
        known = "; ".join(f"{column}: {', '.join(names)}" for column, names in COLUMNS.items())
        raise CaptionsError(
            [
                f"{path}, line {line}: the columns, separated by {SEPARATORS[separator]}, are "
                f"{', '.join(map(repr, heads))}; there is none for the {missing[0]}. Rename it; known names "
                f"are, for {known}; and 'split' if you like"
            ]
        )
    double = sorted({head for head in heads if head and heads.count(head) > 1})
    if double:
        raise CaptionsError([f"{path}, line {line}: the column {double[0]!r} stands twice"])
    if len(rows) == 1:
        raise CaptionsError([f"{path}: there is no line below the names of the columns"])
    wrong = [
        f"{path}, line {line}: {len(cells)} cells, but the first line names {len(heads)} columns; put "
        "quotation marks around a caption that holds a comma"
        for line, cells in rows[1:]
        if len(cells) != len(heads)
    ]
    if wrong:
        raise CaptionsError(wrong)
    with_split = "split" in heads
    places = [heads.index(column) for column in COLUMNS]
    split = heads.index("split") if with_split else None
    found = [
        (line, cells[places[0]], cells[places[1]], cells[split].lower() if with_split else "")
        for line, cells in rows[1:]
    ]
    return found, with_split


def _inside(folder: Path, name: str) -> tuple[Path, str]:
    """The path of a picture below the folder, and what is wrong with it, if anything."""
    path = folder / name
    if PurePosixPath(name).is_absolute() or name[1:2] == ":" or name.startswith("\\"):
        return path, f"is an absolute path; write the path below {folder}"
    path = _as_written(folder, name)
    # Links are followed here: a link to somewhere else leaves the folder too.
    if not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
        return path, f"leads out of {folder}; put the picture into it"
    return path, ""


def _as_written(folder: Path, name: str) -> Path:
    """The path below the folder; a name in another Unicode form (as macOS writes it) is found too."""
    path = folder / name
    if path.exists():
        return path
    path = folder
    for part in PurePosixPath(name).parts:
        wanted = unicodedata.normalize("NFC", part)
        try:
            there = {unicodedata.normalize("NFC", entry): entry for entry in os.listdir(path)}
        except OSError:
            there = {}
        path = path / there.get(wanted, part)
    return path


def _read_picture(path: Path, size: int) -> np.ndarray:
    if path.stat().st_size > MOST_PICTURE_BYTES:
        raise image.PictureError(f"{path} has over {MOST_PICTURE_BYTES // 2**20} MiB; make it smaller")
    return image.read(path, size)


def _check_picture(path: Path) -> tuple[str, str]:
    """A hash of the file, and what is wrong with it, if anything."""
    try:
        _read_picture(path, 8)
        return hashlib.sha256(path.read_bytes()).hexdigest(), ""
    except FileNotFoundError:
        hint = "; write / between folder and name" if "\\" in path.name else ""
        return "", f"does not exist{hint}; capitals count, in the ending too"
    except IsADirectoryError:
        return "", "is a folder, not a picture"
    except OSError as error:
        return "", f"cannot be opened ({error.strerror})"
    except image.PictureError as error:
        return "", f"cannot be used: {error}"


def _missing(folder: Path, names: Iterable[str]) -> list[str]:
    """One problem for each picture that is not in the folder."""
    try:
        there = set(os.listdir(folder))
    except OSError as error:
        return [f"{folder}: the folder of the pictures cannot be read ({error.strerror})"]
    return [
        f"{folder / name}: the picture is missing; unpack the archive of the pictures again"
        for name in names
        if name not in there
    ]


# Flickr8k and COCO


def _flickr_captions(folder: Path) -> dict[str, list[str]]:
    """Picture -> captions, from either of the two forms in which the captions are passed on."""
    problems: list[str] = []
    captions: dict[str, list[str]] = {}
    name = folder / "Flickr8k.token.txt"
    if name.exists():
        numbers: dict[str, int] = {}
        for line, row in enumerate(_read_text(name, MOST_TABLE_BYTES).splitlines(), start=1):
            if not row.strip():
                continue
            key, tab, caption = row.partition("\t")
            picture, mark, number = key.partition("#")
            if not tab or not mark or not picture or not number.strip().isdigit():
                problems.append(
                    f"{name}, line {line}: expected 'PICTURE#NUMBER', a tab and a caption, got {row[:60]!r}"
                )
                continue
            if key in numbers:
                problems.append(f"{name}, line {line}: the id {key!r} stands in line {numbers[key]} already")
                continue
            numbers[key] = line
            if not caption.strip():
                problems.append(f"{name}, line {line}: the caption of {key!r} is empty")
                continue
            captions.setdefault(picture, []).append(caption.strip())
    else:
        name = folder / "captions.txt"
        if not name.exists():
            raise CaptionsError(
                [f"{folder}: neither Flickr8k.token.txt nor captions.txt is here; give the folder of one"]
            )
        rows = _csv_rows(name, _read_text(name, MOST_TABLE_BYTES))
        if not rows or rows[0][1] != ["image", "caption"]:
            raise CaptionsError([f"{name}, line 1: expected the columns image,caption"])
        for line, cells in rows[1:]:
            if len(cells) != 2 or not cells[0]:
                problems.append(
                    f"{name}, line {line}: expected a picture and a caption, got {len(cells)} cells"
                )
            elif not cells[1]:
                problems.append(f"{name}, line {line}: the caption of {cells[0]!r} is empty")
            else:
                captions.setdefault(cells[0], []).append(cells[1])
    for ghost in KNOWN_GHOSTS:
        if captions.pop(ghost, None):
            said = "is left out; the published captions name it, and no archive holds it"
            print(f"{name}: {ghost} {said}", file=sys.stderr)
    unsafe = [p for p in captions if "/" in p or "\\" in p or p in (".", "..")]
    problems += [f"{name}: {picture!r} is no plain file name" for picture in unsafe]
    if not captions and not problems:
        problems.append(f"{name}: holds no caption")
    if problems:
        raise CaptionsError(problems)
    return captions


def _coco_captions(name: Path) -> dict[str, list[str]]:
    """File name -> captions, from an annotation file of COCO."""
    try:
        content = json.loads(_read_text(name, MOST_JSON_BYTES))
    except CaptionsError:
        raise
    except (ValueError, RecursionError) as error:
        raise CaptionsError([f"{name}: is not JSON ({error}); unpack it again"]) from error
    shape = isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    )
    if not shape:
        raise CaptionsError([f"{name}: expected an object with the lists 'images' and 'annotations'"])
    problems: list[str] = []
    files: dict[int, str] = {}
    captions: dict[str, list[str]] = {}
    for place, record in enumerate(content["images"]):
        if not _has(record, id=int, file_name=str):
            problems.append(f"{name}, images[{place}]: expected an 'id' (number) and a 'file_name' (text)")
        elif record["id"] in files:
            problems.append(f"{name}, images[{place}]: the id {record['id']} stands twice")
        elif Path(record["file_name"]).name != record["file_name"] or record["file_name"] in captions:
            problems.append(
                f"{name}, images[{place}]: the file name {record['file_name']!r} is no plain name, or stands "
                "twice"
            )
        else:
            files[record["id"]] = record["file_name"]
            captions[record["file_name"]] = []
    ids: set[int] = set()
    for place, record in enumerate(content["annotations"]):
        where = f"{name}, annotations[{place}]"
        if not _has(record, id=int, image_id=int, caption=str):
            problems.append(f"{where}: expected an 'id' and an 'image_id' (numbers) and a 'caption' (text)")
            continue
        where += f" (id {record['id']})"
        if record["id"] in ids:
            problems.append(f"{where}: this id stands twice")
        ids.add(record["id"])
        if not record["caption"].strip():
            problems.append(f"{where}: the caption is empty")
        elif record["image_id"] not in files:
            problems.append(f"{where}: there is no image with the id {record['image_id']}")
        else:
            captions[files[record["image_id"]]].append(" ".join(record["caption"].split()))
    problems += [
        f"{name}: the picture {file!r} has no caption" for file, texts in captions.items() if not texts
    ]
    if problems:
        raise CaptionsError(problems)
    return captions


def _has(record, **kinds: type) -> bool:
    return isinstance(record, dict) and all(type(record.get(key)) is kind for key, kind in kinds.items())


# Splits


def _draw(count: int, seed: int) -> dict[str, list[int]]:
    """Pictures drawn into the three splits in the shares of :data:`SHARES`, at least one in each."""
    order = np.random.default_rng(seed).permutation(count)
    sizes = [max(1, round(share * count)) for share in SHARES[1:]]
    bounds = np.cumsum([count - sum(sizes), *sizes])[:-1]
    return {name: sorted(rows.tolist()) for name, rows in zip(SPLITS, np.split(order, bounds), strict=True)}


def _assemble(
    folder: Path, chosen: list[str], captions: dict[str, list[str]], splits: dict[str, list[str]]
) -> CaptionedPictures:
    places = {picture: i for i, picture in enumerate(chosen)}
    return CaptionedPictures(
        paths=tuple(folder / picture for picture in chosen),
        captions=tuple(tuple(captions[picture]) for picture in chosen),
        splits={
            name: np.array(sorted(places[p] for p in rows), dtype=np.int64) for name, rows in splits.items()
        },
        tier="full",
        datasheet=FULL_SHEET,
    )
