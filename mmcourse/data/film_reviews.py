"""Snippets of film reviews with the mean rating of about twenty people.

The snippets are those of Rotten Tomatoes that B. Pang and L. Lee collected (2005), in the cleaned form of
Socher et al. (2013); the ratings are by Hutto and Gilbert (2014). See ``book/datasheets/film-reviews.md``.
"""

import io
import re
import tarfile
from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline, store
from mmcourse.data import archives

SPLIT_SEED = 20_050_625
FOLDER = "hutto_ICWSM_2014"
TEXTS = f"{FOLDER}/movieReviewSnippets_GroundTruth.txt"
RATINGS = f"{FOLDER}/movieReviewSnippets_anonDataRatings.txt"
MOST_BYTES = 3_000_000
ALIKE = 0.6  # share of common words from which two snippets count as one text


@dataclass(frozen=True)
class FilmReviews(pipeline.HasSplits):
    """Snippets, their ratings, and splits that keep texts that are nearly the same together.

    Attributes:
        texts: the snippets, in the order of the file.
        ratings: mean rating of each, -4 (as bad as can be) to 4: ``float64`` ``(snippets,)``.
        deviations: standard deviation of the single ratings of each snippet: ``float64`` ``(snippets,)``.
        groups: number of the group of texts that are nearly the same: ``int64`` ``(snippets,)``.
        splits: "train", "validation", "test" -> indices, ``int64``, sorted, disjoint, covering all.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    texts: tuple[str, ...]
    ratings: np.ndarray
    deviations: np.ndarray
    groups: np.ndarray
    splits: dict[str, np.ndarray]
    tier: str = "course"
    datasheet: str = "book/datasheets/film-reviews"

    def clear(self, split: str, least: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        """Indices of a split's snippets whose rating is at least ``least`` from 0, and their labels.

        Returns:
            ``(indices, labels)``, both ``int64``; the label is 1 for a positive rating, 0 for a negative one.

        Raises:
            ValueError: an unknown split, or ``least`` is not positive (a rating of 0 has no sign).
        """
        if not least > 0:
            raise ValueError(f"least must be positive, since a rating of 0 has no sign; got {least}")
        indices = self.split(split)
        indices = indices[np.abs(self.ratings[indices]) >= least]
        return indices, (self.ratings[indices] > 0).astype(np.int64)


def load() -> FilmReviews:
    """The 10,605 snippets.

    Raises:
        archives.FetchError: the archive cannot be had.
        archives.ArchiveError: the archive or the one inside it is damaged.
    """
    arrays = store.arrays("film-reviews", [__name__], _parse)
    groups = arrays["groups"]
    return FilmReviews(
        texts=tuple(arrays["texts"].tolist()),
        ratings=arrays["ratings"],
        deviations=arrays["deviations"],
        groups=groups,
        splits=split_by_group(groups),
    )


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    films = load()
    lengths = np.array([len(words(text)) for text in films.texts])
    kept = np.abs(films.ratings) >= 0.5
    figures: dict[str, int | float] = {
        "snippets": len(films.texts),
        "words in the middle one by length": int(np.median(lengths)),
        "words in the longest": int(lengths.max()),
        "different words": len({word for text in films.texts for word in words(text)}),
        "snippets rated 0.5 or more": int((films.ratings >= 0.5).sum()),
        "snippets rated -0.5 or less": int((films.ratings <= -0.5).sum()),
        "snippets in between": int((~kept).sum()),
        "mean standard deviation of a snippet's ratings": float(films.deviations.mean()),
        "snippets that are nearly the same as another": int(
            (np.bincount(films.groups)[films.groups] > 1).sum()
        ),
    }
    for name, rows in films.splits.items():
        figures[f"snippets in the split '{name}'"] = len(rows)
    return figures


def words(text: str) -> list[str]:
    """The words of a text, in lower case; an apostrophe inside a word belongs to it, "n't" is not cut off."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", text.lower().replace("’", "'"))


def split_by_group(groups: np.ndarray) -> dict[str, np.ndarray]:
    """Draw whole groups into training, validation and test, in the shares of :data:`pipeline.SHARES`."""
    names = np.unique(groups)
    drawn = pipeline.split_random(len(names), seed=SPLIT_SEED)
    return {name: np.flatnonzero(np.isin(groups, names[rows])) for name, rows in drawn.items()}


def group_alike(texts: list[str]) -> np.ndarray:
    """Give texts that share most of their words one number: ``int64`` ``(texts,)``.

    Two texts are alike if their sets of words have at least :data:`ALIKE` in common (common words divided by
    all words of both); what is alike to a third is in one group with it.
    """
    sets = [frozenset(words(text)) for text in texts]
    holding: dict[str, list[int]] = {}
    for number, of_text in enumerate(sets):
        for word in of_text:
            holding.setdefault(word, []).append(number)
    groups = np.arange(len(texts))

    def root(number: int) -> int:
        while groups[number] != number:
            number = groups[number]
        return number

    for number, of_text in enumerate(sets):
        # Alike texts share one of any (1 - ALIKE) of a text's words: the rarest ones have few candidates.
        rarest = sorted(of_text, key=lambda word: (len(holding[word]), word))
        rarest = rarest[: int((1 - ALIKE) * len(of_text)) + 1]
        for other in {other for word in rarest for other in holding[word] if other < number}:
            common = len(of_text & sets[other])
            if common >= ALIKE * len(of_text | sets[other]):
                groups[root(number)] = root(other)
    return np.array([root(number) for number in range(len(texts))], dtype=np.int64)


def _parse() -> dict[str, np.ndarray]:
    ((_, content),) = archives.read_members("film-reviews")
    members = _inner_members(content, (TEXTS, RATINGS))
    rows = _rows(members[TEXTS], TEXTS)
    deviations = {row[0]: float(row[2]) for row in _rows(members[RATINGS], RATINGS)}
    texts = [" ".join(text.split()) for _, _, text in rows]
    return {
        "texts": np.array(texts),
        "ratings": np.array([float(rating) for _, rating, _ in rows]),
        "deviations": np.array([deviations[number] for number, _, _ in rows]),
        "groups": group_alike(texts),
    }


def _rows(content: bytes, name: str) -> list[list[str]]:
    """Lines of tab-separated cells."""
    rows = [line.rstrip("\r").split("\t") for line in content.decode("utf-8").split("\n") if line.strip()]
    if not rows or any(len(row) < 3 for row in rows):
        raise archives.ArchiveError(f"{name}: expected lines of at least three cells with tabs between them")
    return rows


def _inner_members(content: bytes, names: tuple[str, ...]) -> dict[str, bytes]:
    """Read named plain files from a tar archive held in memory; their sizes are bounded."""
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                if member.name not in names:
                    continue
                if not member.isfile() or member.name in found:
                    raise archives.ArchiveError(f"{member.name}: expected one plain file of this name")
                if member.size > MOST_BYTES:
                    raise archives.ArchiveError(
                        f"{member.name}: {member.size} bytes, expected at most {MOST_BYTES}"
                    )
                found[member.name] = archive.extractfile(member).read(MOST_BYTES)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise archives.ArchiveError(f"the archive inside film-reviews is damaged: {error}") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise archives.ArchiveError(f"the archive inside film-reviews lacks {', '.join(missing)}")
    return found
