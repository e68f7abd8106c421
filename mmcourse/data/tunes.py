"""Traditional tunes as scale degrees, written down for this course (notebook 64).

The notation is the numbered one that is common in China (简谱): 1 is the keynote, 2 the next note of the
scale, and so on; ``5,`` lies an octave below 5, ``1'`` an octave above 1. A bar ``|`` ends a phrase. Lengths
and accidentals are left out: a degree says which step of a scale, and the scale itself, major or minor, is
chosen later. All tunes are in the public domain; see ``book/datasheets/entertainment.md``.
"""

import functools
from dataclasses import dataclass

BAR = "|"
STEPS = 7  # notes of a scale

# Name; "minor" where it is sung in a minor scale (or one like it, such as Dorian); phrases.
_TABLE = """
Twinkle, Twinkle / 小星星: 1 1 5 5 6 6 5 | 4 4 3 3 2 2 1 | 5 5 4 4 3 3 2 | 5 5 4 4 3 3 2
Ode to Joy: 3 3 4 5 5 4 3 2 1 1 2 3 3 2 2 | 3 3 4 5 5 4 3 2 1 1 2 3 2 1 1 | 2 2 3 1 2 3 4 3 1 2 3 4 3 2 1 2 5,
Frère Jacques / 两只老虎: 1 2 3 1 | 1 2 3 1 | 3 4 5 | 3 4 5 | 5 6 5 4 3 1 | 5 6 5 4 3 1 | 1 5, 1 | 1 5, 1
Mary Had a Little Lamb: 3 2 1 2 3 3 3 | 2 2 2 3 5 5 | 3 2 1 2 3 3 3 3 | 2 2 3 2 1
Row, Row, Row Your Boat: 1 1 1 2 3 | 3 2 3 4 5 | 1' 1' 1' 5 5 5 3 3 3 1 1 1 | 5 4 3 2 1
London Bridge: 5 6 5 4 3 4 5 | 2 3 4 3 4 5 | 5 6 5 4 3 4 5 | 2 5 3 1
Jingle Bells: 3 3 3 | 3 3 3 | 3 5 1 2 3 | 4 4 4 4 4 3 3 3 3 | 2 2 3 2 5
Auld Lang Syne: 5, 1 1 1 3 2 1 2 | 3 1 1 3 5 6 | 6 5 3 3 1 2 1 2 | 3 1 6, 6, 5, 1
Oh! Susanna: 1 2 3 5 5 6 5 3 1 2 3 3 2 1 2 | 1 2 3 5 5 6 5 3 1 2 3 3 2 2 1 | 4 4 6 6 | 6 5 5 3 1 2
Yankee Doodle: 1 1 2 3 1 3 2 | 1 1 2 3 1 7, | 1 1 2 3 4 3 2 | 1 7, 5, 6, 7, 1 1
Amazing Grace: 5, 1 3 1 3 2 1 6, 5, | 5, 1 3 1 3 2 5 | 5, 1 3 1 3 2 1
Au clair de la lune: 1 1 1 2 3 2 | 1 3 2 2 1 | 2 2 2 2 6, 6, | 2 1 7, 6, 5,
Hänschen klein: 5 3 3 | 4 2 2 | 1 2 3 4 5 5 5 | 5 3 3 | 4 2 2 | 1 3 5 5 1 | 2 2 2 2 2 3 4 | 3 3 3 3 3 4 5
Alle meine Entchen: 1 2 3 4 5 5 | 6 6 6 6 5 | 6 6 6 6 5 | 4 4 4 4 3 3 | 2 2 2 2 1
Old MacDonald: 1 1 1 5, 6, 6, 5, | 3 3 2 2 1 | 5, 1 1 1 5, 6, 6, 5, | 3 3 2 2 1 | 5, 5, 1 1 1 | 5, 5, 1 1 1
This Old Man: 5 3 5 | 5 3 5 | 6 5 4 3 2 3 4 | 3 4 5 1 1 1 1 1 2 3 4 5 | 5 2 2 4 3 2 1
When the Saints: 1 3 4 5 | 1 3 4 5 | 1 3 4 5 3 1 3 2 | 3 3 2 1 | 1 3 5 5 5 4 | 3 4 5 3 1 2 1
Good Morning to All: 5, 5, 6, 5, 1 7, | 5, 5, 6, 5, 2 1 | 5, 5, 5 3 1 7, 6, | 4 4 3 1 2 1
Clementine: 1 1 1 5, | 3 3 3 1 | 1 3 5 5 4 3 2 | 2 3 4 4 3 2 3 1 | 1 3 2 5, 7, 2 1
Skip to My Lou: 3 3 1 1 3 3 5 | 2 2 7, 7, 2 2 4 | 3 3 1 1 3 3 5 | 2 3 4 3 2 1 1
Silent Night: 5 6 5 3 | 5 6 5 3 | 2' 2' 7 | 1' 1' 5 | 6 6 1' 7 6 5 6 5 3 | 2' 2' 4' 2' 7 1' 3'
Joy to the World: 1' 7 6 5 4 3 2 1 | 5 6 6 7 7 1' | 1' 1' 7 6 5 5 4 3 | 1' 1' 7 6 5 5 4 3
Deck the Halls: 5 4 3 2 1 2 3 1 | 2 3 4 2 3 2 1 7, 1 | 5 4 3 2 1 2 3 1 | 6 6 6 6 5 4 3 2 1
Hot Cross Buns: 3 2 1 | 3 2 1 | 1 1 1 1 2 2 2 2 | 3 2 1
Jasmine Flower / 茉莉花: 3 3 5 6 1' 1' 6 5 5 6 5 | 5 5 5 3 5 6 6 5 | 3 2 3 5 3 2 1 1 2 1 | 2 3 5 2 3 1 6, 5,
O Tannenbaum: 5, 1 1 1 2 3 3 3 | 3 2 3 4 7, 2 1 | 5 5 3 6 5 5 4 4 | 4 4 2 5 4 4 3 3
Brahms's Lullaby: 3 3 5 | 3 3 5 | 3 5 1' 7 6 6 5 | 2 3 4 2 | 2 3 4 2 | 4 7 6 5 7 1'
Camptown Races: 5 5 3 5 6 5 3 | 3 2 | 3 2 | 5 5 3 5 6 5 3 | 2 3 2 1
Aura Lee: 5, 1 7, 1 2 6, 2 | 1 7, 6, 7, 1 | 5, 1 7, 1 2 6, 2 | 1 7, 6, 7, 1
Pop Goes the Weasel: 1 1 2 2 3 5 3 1 | 1 1 2 2 3 1 | 1 1 2 2 3 5 3 1 | 6 2 4 3 1
The Farmer in the Dell: 5, 1 1 1 1 1 | 2 3 3 3 3 3 | 5 5 6 5 3 1 2 | 3 3 2 2 1
Kuckuck: 5 3 | 5 3 | 2 1 2 1 | 2 2 3 4 2 | 3 3 4 5 3 | 5 3 | 5 3 | 4 3 2 1
Sur le pont d'Avignon: 1 1 1 2 2 2 | 3 4 5 1 7, 1 2 5, | 1 1 1 2 2 2 | 3 4 5 1 2 7, 1
My Bonnie: 5, 3 2 1 2 1 6, 5, 3, | 5, 3 2 1 1 7, 1 2 | 5, 3 2 1 2 1 6, 5, 3, | 5, 6, 2 1 7, 6, 7, 1
Long, Long Ago: 1 1 2 3 3 4 5 6 5 3 | 5 4 3 | 4 3 2 | 1 1 2 3 3 4 5 6 5 3 | 5 4 3 2 1
Greensleeves (minor): 1 3 4 5 6 5 4 2 7, 1 2 3 1 1 7, 1 2 7, 5, | 1 3 4 5 6 5 4 2 7, 1 2 3 2 1 7, 6, 7, 1 1
God Rest Ye Merry (minor): 1 1 5 5 4 3 2 1 7, | 1 2 3 4 5 | 1 1 5 5 4 3 2 1 7, | 1 2 3 4 5
Drunken Sailor (minor): 5 5 5 5 5 5 5 1 3 5 | 4 4 4 4 4 4 4 7, 2 4 | 5 5 5 5 5 5 5 6 7 1' | 7 5 4 2 1 1
Korobeiniki (minor): 5 2 3 4 3 2 1 1 3 5 4 3 2 2 3 4 5 3 1 1 | 4 6 1' 7 6 5 3 5 4 3 2 2 3 4 5 3 1 1
Go Down, Moses (minor): 5, 3 3 2 2 3 3 1 | 5, 5, 7, 7, 1 | 5, 3 3 2 2 3 3 1 | 5, 5, 7, 7, 1
Scarborough Fair (minor): 1 1 5 5 2 3 2 1 | 5 7 1' 7 5 6 4 5 | 1' 1' 1' 7 5 5 4 3 2 7, | 1 5 4 3 2 1 7, 1
We Three Kings (minor): 5 4 3 1 2 3 2 1 | 5 4 3 1 2 3 2 1 | 3 3 4 4 5 5 7 6 5 4 5 4 3 2 1
"""


# Lines of songs in pairs, the happier one first; written for this course, before any of them was scored.
LINES: tuple[tuple[str, str], ...] = (
    ("The sun comes up on a golden shore", "The sun goes down on a broken shore"),
    ("We danced all night and we laughed aloud", "We cried all night and we slept alone"),
    ("My heart is light as a summer day", "My heart is cold as a winter day"),
    ("You came back home and you held my hand", "You left our home and you let me fall"),
    ("The band plays on and the crowd is glad", "The band is gone and the hall is sad"),
    ("Sweet is the song of the morning bird", "Bitter the song of the lonely bird"),
    ("Hope is a lamp that will never die", "Grief is a night that will never end"),
    ("The children sing in the garden green", "The children weep in the ruined street"),
    ("Our love is new and our days are free", "Our love is lost and our days are grey"),
    ("The river runs to a smiling sea", "The river runs to an empty grave"),
    ("I found a friend on the open road", "I lost a friend on the dusty road"),
    ("The bells ring out for a happy bride", "The bells ring out for a dying man"),
    ("The garden blooms and the bees are near", "The garden fades and the bees are dead"),
    ("With all my joy I will sing for you", "With all my tears I will mourn for you"),
    ("The ship comes in with a gentle wind", "The ship went down in an awful storm"),
    ("Tomorrow brings a delightful day", "Tomorrow brings a terrible day"),
    ("Your eyes are bright and your smile is warm", "Your eyes are dull and your smile is false"),
    ("The feast is set and the wine is good", "The feast is done and the wine is bad"),
    ("A brilliant star in a peaceful sky", "A failing star in a gloomy sky"),
    ("The kindest word that I ever heard", "The cruellest word that I ever heard"),
    ("We won the day and we cheered our men", "We lost the day and we buried men"),
    ("Beautiful mornings are here again", "Miserable mornings are here again"),
    ("The soldier comes to his mother's arms", "The soldier dies in a stranger's arms"),
    ("Come dance with me till the dawn is here", "Leave me alone till the dawn is here"),
)


@dataclass(frozen=True)
class Tune:
    """One tune.

    Attributes:
        name: as it is known in English or where it comes from.
        minor: whether it is sung in a minor scale.
        phrases: for each phrase its degrees, 0 for the keynote, 7 an octave above, -3 for ``5,``.
    """

    name: str
    minor: bool
    phrases: tuple[tuple[int, ...], ...]

    @property
    def notes(self) -> tuple[int, ...]:
        """All degrees, without the ends of the phrases."""
        return tuple(degree for phrase in self.phrases for degree in phrase)


def degree_of(note: str) -> int:
    """The degree of a note in the numbered notation.

    >>> [degree_of(note) for note in ("1", "5,", "1'")]
    [0, -3, 7]

    Raises:
        ValueError: not a figure from 1 to 7 with at most one mark.
    """
    figure, mark = note[:1], note[1:]
    if figure not in tuple("1234567") or mark not in ("", ",", "'"):
        raise ValueError(f"a note is a figure from 1 to 7, with ' or , for another octave; got {note!r}")
    return int(figure) - 1 + {"": 0, ",": -STEPS, "'": STEPS}[mark]


def numbered(degree: int) -> str:
    """A degree in the numbered notation, from two octaves below to one above.

    >>> numbered(-3), numbered(7)
    ('5,', "1'")
    """
    octave, figure = divmod(degree, STEPS)
    return f"{figure + 1}{',' * -octave if octave < 0 else chr(39) * octave}"


@functools.cache
def load() -> tuple[Tune, ...]:
    """The tunes, in the order of the table."""
    found = []
    for line in _TABLE.strip().splitlines():
        name, notes = line.rsplit(": ", 1)
        phrases = tuple(tuple(degree_of(note) for note in part.split()) for part in notes.split(BAR))
        found.append(Tune(name.removesuffix(" (minor)"), name.endswith(" (minor)"), phrases))
    return tuple(found)


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number."""
    tunes = load()
    phrases = [phrase for tune in tunes for phrase in tune.phrases]
    return {
        "tunes": len(tunes),
        "tunes in minor": sum(tune.minor for tune in tunes),
        "phrases": len(phrases),
        "notes": sum(len(phrase) for phrase in phrases),
        "pairs of lines": len(LINES),
        "different degrees": len({degree for phrase in phrases for degree in phrase}),
        "notes of the middle phrase by length": sorted(len(phrase) for phrase in phrases)[len(phrases) // 2],
    }
