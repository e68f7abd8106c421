"""A storyboard, a tune and a tour: tables by counting, sounds that are heard again, evidence that adds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import entertainment as fun
from mmcourse.data import scenes, synthetic_tour, tunes

FEW = settings(max_examples=15, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
PHRASES = st.lists(st.lists(st.integers(-7, 14), min_size=1, max_size=9), min_size=1, max_size=6)


@given(SEEDS, st.integers(1, 12))
@FEW
def test_a_script_says_what_its_pictures_show(seed, shots):
    film = fun.compose_film(seed, shots)
    assert len(set(film.script)) == shots == len(film.pictures)
    assert len({thing for scene in film.shots for thing in scene.things}) <= fun.CAST
    full = fun.filled(film.pictures)
    for text, scene, cells in zip(film.script, film.shots, full, strict=True):
        assert fun.read_shot(text) == list(zip(scene.things, scene.places, strict=True))
        assert set(np.flatnonzero(cells)) == set(scene.places)


def test_a_film_has_few_arrangements_so_that_places_alone_do_not_tell():
    film = fun.compose_film(3)
    assert len({tuple(sorted(scene.places)) for scene in film.shots}) <= fun.SETUPS


def test_similarities_are_those_of_notebook_53():
    from mmcourse.generator import scene_looks
    from mmcourse.generator import scenes as written

    model = written.build(
        written.Configuration(channels=(4, 4, 8, 8), width=16, depth=1, hidden=16)
    ).generator
    film = fun.compose_film(1, 4)
    found = fun.cell_similarities(model, film.pictures)
    assert found.shape == (4, scenes.PLACES, len(fun.NAMES)) and np.abs(found).max() <= 1 + 1e-9
    expected = scene_looks.nearest_names(model, film.pictures, "en")
    np.testing.assert_array_equal(np.array(fun.NAMES)[found.argmax(axis=-1)], expected)
    features = fun.view_features(model, synthetic_tour.simulate_visits(1, 3).views[0])
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1)


@given(PHRASES, st.floats(0.1, 20))
@FEW
def test_a_bigram_counts(phrases, smoothing):
    table = fun.bigram(phrases, smoothing)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert table.shape == (23, 22) and (table > 0).all()
    assert fun.perplexity(table, phrases) <= 23 * 22
    # The more often a note follows, the more probable it is: by brute force.
    first = phrases[0][0]
    followers = sum(phrase[0] == first for phrase in phrases)
    single = np.ones(22)
    for phrase in phrases:
        for degree in phrase:
            single[degree + 7] += 1
    single /= single.sum()
    expected = (followers + smoothing * single[first + 7]) / (len(phrases) + smoothing)
    assert table[22, first + 7] == pytest.approx(expected)


def test_perplexity_of_the_pencil():
    table = np.full((23, 22), 1e-9)
    table[22, 9], table[9, 8], table[8, 7] = 0.75, 1.0, 0.5  # 3 2 1
    assert fun.perplexity(table, [(2, 1, 0)]) == pytest.approx((3 / 8) ** (-1 / 3))
    assert fun.perplexity(np.full((23, 22), 1 / 22), [(0, 1), (2,)]) == pytest.approx(22)


@given(st.integers(1, 14), SEEDS)
@FEW
def test_a_melody_ends_on_the_keynote(notes, seed):
    table = fun.bigram(phrase for tune in tunes.load() for phrase in tune.phrases)
    melody = fun.draw_melody(table, notes, np.random.default_rng(seed))
    assert len(melody) == notes and melody[-1] == 0
    assert melody == fun.draw_melody(table, notes, np.random.default_rng(seed))


def hear(waveform: np.ndarray, notes: int) -> tuple[tuple[int, ...], float]:
    """The semitones and the notes a minute, from the sound alone; the last note is twice as long."""
    beat, found = len(waveform) / (notes + 1), []
    for note in range(notes):
        part = waveform[round(note * beat) : round((note + 1) * beat)]
        levels = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 16))
        frequency = levels.argmax() * fun.SAMPLE_RATE / (1 << 16)
        found.append(round(12 * np.log2(frequency / fun.KEYNOTE)))
    return tuple(found), 60 * fun.SAMPLE_RATE / beat


@given(st.lists(st.integers(-5, 9), min_size=1, max_size=9), st.booleans(), st.floats(60, 180))
@FEW
def test_what_is_played_is_heard(degrees, minor, tempo):
    setting = fun.Setting(tuple(degrees), minor, tempo)
    sound = fun.play(setting)
    assert sound.dtype == np.float32 and np.abs(sound).max() <= 1
    semitones, heard = hear(sound, len(degrees))
    assert semitones == setting.semitones and heard == pytest.approx(tempo, rel=0.01)


def test_modes():
    assert fun.Setting((0, 2, 4, 7, -1), False, 60).semitones == (0, 4, 7, 12, -1)
    assert fun.Setting((0, 2, 4, 7, -1), True, 60).semitones == (0, 3, 7, 12, -2)


def test_the_rule_follows_the_mood_and_nothing_else():
    table = fun.bigram(tunes.load()[0].phrases)
    low, middle, high = (fun.set_line("the bells ring out", mood, table) for mood in (-9, 0.5, 9))
    assert low.degrees == middle.degrees == high.degrees and len(low.degrees) == 4
    assert (low.minor, middle.minor) == (True, False)
    assert (low.tempo, middle.tempo, high.tempo) == (60, 130, 180)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("river", 2), ("smile", 1), ("little", 2), ("danced", 1), ("wanted", 2), ("roses", 2), ("sky", 1)],
)
def test_syllables(word, syllables):
    assert fun.count_syllables(word) == syllables


def test_syllables_of_our_lines_are_nearly_right():
    # Each of the lines was made with nine.
    counted = [fun.count_syllables(line) for pair in tunes.LINES for line in pair]
    assert np.mean(np.array(counted) == 9) > 0.85 and set(counted) <= {8, 9, 10}


def test_evidence_of_a_pose_is_highest_where_the_exhibit_stands():
    yaw, pitch = synthetic_tour.place_of(np.arange(12))
    for turns in (-720, 0, 360):
        evidence = fun.pose_evidence(yaw + turns, pitch, 8.0)
        np.testing.assert_array_equal(evidence.argmax(axis=-1), np.arange(12))
    weak = fun.pose_evidence(yaw + 40, pitch, 1e6)
    assert np.ptp(weak[0, ::2]) < 1e-6  # who doubts the yaw everywhere learns the shelf alone


def test_twins_share_the_evidence_of_the_picture():
    kinds = np.log(np.random.default_rng(0).dirichlet(np.ones(8), size=(2, 3)))
    evidence = fun.picture_evidence(kinds)
    assert evidence.shape == (2, 3, 12)
    np.testing.assert_array_equal(evidence[..., 0], evidence[..., 5])
    np.testing.assert_allclose(np.exp(evidence).sum(axis=-1), 1)


def test_doubt_grows():
    doubt = fun.growing_doubt(30)
    assert doubt[0] == synthetic_tour.AIM and (np.diff(doubt) > 0).all()


def test_what_is_recognised_corrects_a_drift():
    random = np.random.default_rng(0)
    exhibit = random.integers(12, size=60)
    yaw, pitch = synthetic_tour.place_of(exhibit)
    drifted = yaw + 4.0 * np.arange(60)  # 240 degrees at the end
    nothing = np.zeros((60, 12))
    assert fun.follow(drifted, pitch, nothing) == exhibit.tolist()
    assert (fun.pose_evidence(drifted, pitch, 12.0).argmax(axis=1) == exhibit).mean() < 0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fun.compose_film(0, 10_000), "360 different shots"),
        (lambda: fun.read_shot("a cat somewhere"), "the THING at the PLACE"),
        (lambda: fun.read_shot("the unicorn at the middle"), "unicorn"),
        (lambda: fun.bigram([(0, 99)]), "degrees go from -7 to 14"),
        (lambda: fun.bigram([(0, 1)], 0), "smoothing"),
        (lambda: fun.perplexity(np.ones((23, 22)), []), "no note"),
        (lambda: fun.draw_melody(np.ones((23, 22)) / 22, 0, np.random.default_rng(0)), "notes"),
        (lambda: fun.set_line("...", 0.0, np.ones((23, 22)) / 22), "at least one word"),
        (lambda: fun.pose_evidence(np.zeros(2), np.zeros(2), 0.0), "doubt"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
