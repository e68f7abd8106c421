"""Reviews by digit and opening: the pairs, the pieces, guidance, the judge, the rival and what is copied."""

import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmcourse import pipeline
from mmcourse.data import digits
from mmcourse.generator import decoding, review_scores, reviews
from mmcourse.text import END_ID, PAD_ID

GOOD, BAD = ("a warm and moving film", "wonderful fun"), ("a dull and empty mess", "tedious noise")
TINY = reviews.Configuration(
    merges=60, channels=(4, 4, 4), width=16, heads=2, depth=1, hidden=16, prompt_length=20, answer_length=24,
    digit_epochs=1, epochs=2, batch_size=8, word_vectors=False, openings=(2, 3),
)  # fmt: skip


def make_reviews() -> reviews.RatedReviews:
    """Sixty reviews in the form of the real ones."""
    random = np.random.default_rng(0)
    texts, levels = [], []
    for number in range(60):
        praise = number % 2
        words = [random.choice((BAD, GOOD)[praise][0].split()) for _ in range(6)]
        texts.append(
            f"this film is {'the' if number % 3 else 'a'} {' '.join(words)} {(BAD, GOOD)[praise][1]}"
        )
        levels.append((1, 2, 5, 4)[praise * 2 + number // 2 % 2])
    parts = np.split(np.arange(60), (24, 44, 52))
    splits = dict(zip(("train", "judge", "validation", "test"), parts, strict=True))
    levels = np.array(levels)
    return reviews.RatedReviews(tuple(texts), levels, (levels - 3) * 1.5, splits)


def make_digits() -> digits.Digits:
    """Twenty "digits": as many rows of ink as the digit says, and some noise."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 6)
    images = np.random.default_rng(0).integers(0, 60, (60, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[: 2 * label] = 255
    parts = np.split(np.arange(60), (40, 50))
    return digits.Digits(images, labels, dict(zip(digits.SPLITS, parts, strict=True)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of two epochs. XLA would compile for longer than it trains."""
    rated, build = make_reviews(), reviews.build

    def without_xla(*arguments):
        model = build(*arguments)
        model.compile(model.optimizer, loss=reviews.answer_loss, jit_compile=False)
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reviews, "build", without_xla)
        model, history = reviews.train(TINY, tmp_path_factory.mktemp("reviews"), rated, make_digits())
    return reviews.Reviewer(model, reviews.Task.of(rated, TINY).pieces), history


# Pairs


def test_levels_have_their_edges_where_the_text_says():
    given = np.array([-4, -2.01, -2, -0.51, -0.5, 0, 0.49, 0.5, 1.99, 2, 4])
    assert reviews.levels_of(given).tolist() == [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5]
    with pytest.raises(ValueError, match="from -4 to 4"):
        reviews.levels_of(np.array([5.0]))


def test_generator_judge_and_test_share_no_review_and_no_near_copy():
    from mmcourse.data import film_reviews

    rated, films = reviews.load(), film_reviews.load()
    every = np.concatenate(list(rated.splits.values()))
    assert sorted(every) == list(range(len(rated.texts)))
    groups = {name: set(films.groups[rows]) for name, rows in rated.splits.items()}
    for one in groups:
        for other in groups:
            assert one == other or not groups[one] & groups[other]


@settings(max_examples=40, deadline=None)
@given(st.text())
@example("℠")  # two letters, and capital ones, once it is taken apart
def test_a_plain_text_stays_as_it_is_and_pieces_lose_nothing(text):
    text = reviews.plain(text)
    assert (
        text == reviews.plain(text) == text.lower()
        and text.isascii()
        and "_" not in text
        and "  " not in text
    )
    pieces = reviews.Pieces.train(["so good, so bad"], 10)
    written = pieces.write(text)
    assert set(written.split()) <= set(pieces.names())
    if text:
        assert pieces.read(written) == " " + text


def test_an_opening_and_its_rest_are_the_review():
    opening, rest = reviews.cut("one of the best films", 3)
    assert (opening, rest) == ("one of the", " best films")
    for words in (0, 5):
        with pytest.raises(ValueError, match="cannot cut"):
            reviews.cut("one of the best films", words)


def test_digits_are_shown_in_the_middle_and_zero_is_an_empty_sheet():
    writing = reviews.Handwriting(make_digits(), "test")
    shown = writing.draw([0, 3], np.random.default_rng(0))
    assert shown.shape == (2, 32, 32, 3) and shown.dtype == np.uint8
    assert not shown[0].any() and shown[1, 2:8, 2:30].min() == 255 and not shown[1, :2].any()
    with pytest.raises(ValueError, match="28, 28"):
        reviews.sheet(np.zeros((1, 32, 32), np.uint8))


def test_batches_hold_whole_reviews_with_their_own_digit():
    rated, task = make_reviews(), reviews.Task.of(make_reviews(), TINY)
    batches = task.batches(replace(TINY, empty=0.0), reviews.Handwriting(make_digits(), "train"))
    inputs, answers = batches[0]
    for prompt, answer, image in zip(inputs["prompt"], answers, inputs["image"], strict=True):
        ids = [*prompt[prompt != PAD_ID], *answer[(answer != PAD_ID) & (answer != END_ID)]]
        text = task.pieces.read(task.vocabulary.text_of(ids)).strip()
        row = next(row for row, whole in enumerate(rated.texts) if whole.startswith(text))
        assert (image[2:30, 15, 0] == 255).sum() == 2 * rated.levels[row]
        words = len(task.pieces.read(task.vocabulary.text_of(prompt[prompt != PAD_ID])).split())
        assert words in (2, 3)
    emptied = task.batches(replace(TINY, empty=1.0), reviews.Handwriting(make_digits(), "train"))
    assert not emptied[0][0]["image"].any()


def test_the_full_sets_go_the_same_way(tmp_path):
    """A miniature of IMDB in the files of keras.datasets."""
    words = {f"word{number}": number + 1 for number in range(50)}
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(words))
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "imdb.npz", "w") as archive:
        for part in ("train", "test"):
            texts = np.empty(20, dtype=object)
            texts[:] = [random.integers(1, 51, 60).tolist() for _ in range(20)]
            for name, array in (("x", texts), ("y", np.arange(20) % 2)):
                with archive.open(f"{name}_{part}.npy", "w") as file:
                    np.lib.format.write_array(file, array, allow_pickle=True)
    rated = reviews.load_full(tmp_path, words=30)
    assert rated.tier == "full" and set(rated.levels) == {1, 5} and len(rated.texts) == 40
    pipeline.check_splits(rated.splits, 40)
    assert all(len(text.split()) == 30 for text in rated.texts)
    assert len(review_scores.examination(rated).rows) == 20


# Model and guidance


def test_training_learns_and_keeps_a_history(trained):
    reviewer, history = trained
    assert len(history) == 2 and history[1]["loss"] < history[0]["loss"] and "validation" in history[0]
    assert isinstance(reviewer.model.optimizer, keras.optimizers.Muon)


def test_guidance_of_weight_zero_is_plain_sampling(trained):
    reviewer, _ = trained
    images = reviews.Handwriting(make_digits(), "test").draw([1, 5, 2], np.random.default_rng(0))
    sampling = decoding.Sampling(seed=3)
    plain = reviewer.write(images, ["this film is"] * 3, sampling)
    assert reviewer.write(images, ["this film is"] * 3, reviews.Guided(sampling, 0.0)) == plain
    assert reviewer.write(images, ["this film is"] * 3, reviews.Guided(sampling, 0.0), batch_size=2) == plain


def test_guidance_follows_its_formula(trained):
    reviewer, _ = trained
    images = reviews.Handwriting(make_digits(), "test").draw([1, 5], np.random.default_rng(1))
    prompt = reviewer.encode_openings(["this film is"] * 2)
    answer = np.zeros((2, TINY.answer_length), np.int32)
    seeing, blind = (
        np.asarray(reviewer.model({"image": shown, "prompt": prompt, "answer": answer}))[:, 0]
        for shown in (images, np.zeros_like(images))
    )
    both = reviews._WithAndWithout(reviewer.model, 2.5)
    caches, real = both.read({"image": images, "prompt": prompt})
    logits, _ = both.next_logits(keras.ops.ones((2,), "int32"), 0, caches, real)
    np.testing.assert_allclose(logits, seeing + 2.5 * (seeing - blind), atol=1e-4)


def test_surprises_are_those_of_the_loss(trained):
    reviewer, _ = trained
    images = np.zeros((3, 32, 32, 3), np.uint8)
    rests = [" dull mess", " warm and moving fun", " noise"]
    losses, counts = reviewer.surprises(images, ["this film is"] * 3, rests, batch_size=2)
    answers = reviewer.encode(rests)
    inputs = {"image": images, "prompt": reviewer.encode_openings(["this film is"] * 3), "answer": answers}
    expected = reviews.answer_loss(answers, reviewer.model(inputs))
    assert losses.sum() / counts.sum() == pytest.approx(float(expected), rel=1e-4)
    assert counts.tolist() == (answers != PAD_ID).sum(axis=1).tolist()


def test_what_cannot_be_written_is_refused(trained):
    reviewer, _ = trained
    sheet = np.zeros((1, 32, 32, 3), np.uint8)
    for images, openings, message in (
        (sheet, ["a film", "two"], "one for each"),
        (sheet[:, :28], ["a film"], "image must be"),
        (sheet, ["  "], "empty"),
        (sheet, ["extraordinarily " * 9], "tokens"),
    ):
        with pytest.raises(ValueError, match=message):
            reviewer.write(images, openings)
    assert reviewer.write(sheet[:0], []) == []


def test_the_gpu_profile_differs_in_size_alone():
    assert reviews.CONFIGURATIONS["gpu"].profile == "gpu"
    assert reviews.CONFIGURATIONS["gpu"].width > reviews.CONFIGURATIONS["cpu"].width


# Judge, rival, copies


def test_the_judge_tells_praise_from_blame_and_never_saw_the_test():
    rated = make_reviews()
    judge = review_scores.Judge(rated)
    assert judge.agrees(["a warm and moving film", "a dull mess"], np.array([5, 1])).all()
    assert not judge.agrees(["a warm and moving film", "a dull mess"], np.array([2, 4])).any()
    with pytest.raises(ValueError, match="praise or blame"):
        judge.agrees(["so so"], np.array([3]))


def test_an_examination_is_balanced():
    exam = review_scores.examination(make_reviews())
    assert (exam.levels < 3).sum() == (exam.levels > 3).sum() == len(exam.rows) / 2
    assert all(len(opening.split()) == reviews.OPENING for opening in exam.openings)


@pytest.fixture(scope="module")
def rival():
    return review_scores.rival_of(make_reviews(), TINY)


def test_the_rival_gives_probabilities(rival):
    random = np.random.default_rng(0)
    for level in (0, *reviews.LEVELS):
        for length in range(4):
            before = random.integers(4, rival.vocabulary, length)
            chances = rival.chances(before, level)
            assert chances.min() > 0 and chances.sum() == pytest.approx(1)


def test_kneser_ney_on_a_text_that_can_be_counted_by_hand():
    ngrams = review_scores.LevelNgrams([[4, 5], [4, 6]], [1, 1], 7, order=2, discount=0.5)
    # After 4 came 5 and 6, once each; four different bigrams: start 4, 4 5, 4 6, and both ends of one kind.
    lower = np.full(7, 0.5 * 4 / 5 / 7)
    lower[[4, 5, 6]] += 0.5 / 5
    lower[END_ID] += 1.5 / 5
    expected = 0.5 * lower
    expected[[5, 6]] += 0.25
    np.testing.assert_allclose(ngrams.chances([4], 0), expected)


def test_the_rival_finds_its_own_reviews_likelier_than_others(rival):
    rated = make_reviews()
    task = reviews.Task.of(rated, TINY)
    row = task.rows[0][0]
    level = int(task.levels[0])
    assert rival.surprise([], row, level) < rival.surprise([], row[::-1], level)
    written = rival.write(row[:2], level, 6, np.random.default_rng(0), 1.0)
    assert len(written) <= 6 and END_ID not in written


def test_copies_are_the_longest_common_runs():
    sources = ["the best film of the year", "a mess"]
    texts = [" best film of all", " a mess", " nothing", "", " est film"]
    assert review_scores.longest_copies(texts, sources).tolist() == [3, 2, 0, 0, 1]


def test_samples_stand_in_the_order_of_the_examination(trained, rival, monkeypatch):
    monkeypatch.setattr(review_scores.digits, "load", make_digits)
    exam = review_scores.examination(make_reviews())
    samples = review_scores.write_samples(trained[0], rival, exam, weights=(0, 3))
    guided = {f"{who} {weight}" for who in ("own", "rival") for weight in (0, 3)}
    assert set(samples.of) == {"empty", "shuffled", *guided}
    assert {len(texts) for texts in samples.of.values()} == {len(exam.rows)}
    assert sorted(samples.shown) == sorted(exam.levels)
