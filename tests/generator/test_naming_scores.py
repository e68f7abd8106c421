"""The scores: a model that is always right gets all of them, and none when it is shown something else."""

import json

import numpy as np
import pytest

from mmcourse.data.emoji import SPLITS, EmojiPictures, Entry
from mmcourse.generator import naming, naming_scores

COUNTS = {"train": 3, "validation": 3, "unseen_composition": 9, "unseen_concept": 4, "unseen_artist": 6}
LANGUAGE_OF = {wordings[0]: language for language, wordings in naming.PROMPTS.items()}


def make_pictures(people: bool = True, counts: dict[str, int] = COUNTS) -> EmojiPictures:
    """Noise with names, all different; every third picture of a split shows a person."""
    total = sum(counts.values())
    entries = tuple(
        Entry(
            chr(0x1F600 + i),
            {"en": f"thing number {i}", "zh": f"东西{i}"},
            "",
            (),
            "",
            "",
            people and i % 3 == 0,
        )
        for i in range(total)
    )
    starts = np.cumsum([0, *counts.values()])
    splits = {
        split: np.arange(start, start + counts[split]) for split, start in zip(SPLITS, starts, strict=False)
    }
    kinds = [""] * total
    for order, row in enumerate(splits["unseen_composition"]):
        kinds[row] = naming_scores.KINDS[order % len(naming_scores.KINDS)]
    images = np.random.default_rng(0).integers(0, 255, (total, 8, 8, 3)).astype("uint8")
    return EmojiPictures(images, entries, ("twemoji",) * total, splits, tuple(kinds), size=8)


class Knower:
    """Knows every picture by heart, and the two prompts that scores are taken with."""

    def __init__(self, pictures: EmojiPictures, wrong: tuple[int, ...] = ()):
        self.names = {
            image.tobytes(): {} if row in wrong else entry.names
            for row, (image, entry) in enumerate(zip(pictures.images, pictures.entries, strict=True))
        }
        self.prompts: set[str] = set()

    def generate(self, inputs, prompts):
        images = inputs["image"]
        prompts = [prompts] * len(images) if isinstance(prompts, str) else prompts
        self.prompts |= set(prompts)
        return [
            self.names.get(image.tobytes(), {}).get(LANGUAGE_OF[prompt], "nothing")
            for image, prompt in zip(images, prompts, strict=True)
        ]


@pytest.fixture(scope="module")
def pictures() -> EmojiPictures:
    return make_pictures()


@pytest.fixture(scope="module")
def results(pictures) -> dict:
    return naming_scores.evaluate(Knower(pictures), pictures)


@pytest.mark.parametrize("split", naming_scores.TEST_SPLITS)
@pytest.mark.parametrize("language", naming.LANGUAGES)
def test_a_model_that_is_always_right_gets_every_point(results, split, language):
    score = results[split][language]
    assert score["exact"] == score["token_recall"] == 1.0
    assert score["pictures"] == COUNTS[split]
    low, high = score["exact_interval"]
    assert 0 < low < high == 1.0


@pytest.mark.parametrize("control", ["shuffled_images", "blank_image", "swapped_prompt"])
@pytest.mark.parametrize("language", naming.LANGUAGES)
def test_a_model_that_uses_both_inputs_gets_no_point_in_the_controls(results, control, language):
    assert results["controls"][control][language]["exact"] == 0.0
    assert results["controls"][control][language]["pictures"] == COUNTS["unseen_composition"]


def test_results_have_the_promised_form(results):
    assert set(results) == {"unseen_composition", "unseen_artist", "unseen_concept", "controls"}
    assert set(results["controls"]) == {"shuffled_images", "blank_image", "swapped_prompt"}
    assert set(results["unseen_composition"]["by_kind"]) == {"skin tone", "gender", "hair"}
    for split in ("unseen_artist", "unseen_concept"):
        assert set(results[split]["by_subject"]) == {"people", "things"}
    for scores in results["unseen_composition"]["by_kind"].values():
        assert {language: scores[language]["pictures"] for language in scores} == {"en": 3, "zh": 3}
    parts = results["unseen_artist"]["by_subject"]
    assert parts["people"]["en"]["pictures"] + parts["things"]["en"]["pictures"] == COUNTS["unseen_artist"]


def test_results_can_be_written_as_json(results):
    assert json.loads(json.dumps(results)) == results


def test_scores_are_taken_with_the_first_wordings(pictures):
    model = Knower(pictures)
    naming_scores.evaluate(model, pictures)
    assert model.prompts == {wordings[0] for wordings in naming.PROMPTS.values()}


def test_mistakes_are_counted_where_they_were_made(pictures):
    rows = pictures.splits["unseen_composition"]
    wrong = (int(rows[0]), int(rows[3]), int(rows[1]))  # two of a skin tone, one of a gender
    results = naming_scores.evaluate(Knower(pictures, wrong), pictures)
    assert results["unseen_composition"]["en"]["exact"] == pytest.approx(6 / 9, abs=1e-4)
    kinds = results["unseen_composition"]["by_kind"]
    exact = {kind: round(scores["zh"]["exact"], 2) for kind, scores in kinds.items()}
    assert exact == {"skin tone": 0.33, "gender": 0.67, "hair": 1.0}
    assert results["unseen_artist"]["en"]["exact"] == 1.0


def test_a_model_that_ignores_the_prompt_is_found_out(pictures):
    class Deaf(Knower):
        def generate(self, inputs, prompts):
            return super().generate(inputs, naming.PROMPTS["en"][0])

    results = naming_scores.evaluate(Deaf(pictures), pictures)
    assert results["unseen_composition"]["zh"]["exact"] == 0.0
    assert results["controls"]["swapped_prompt"]["en"]["exact"] == 1.0


def test_a_model_that_ignores_the_picture_is_found_out(pictures):
    class Blind:
        def generate(self, inputs, prompts):
            return ["thing number 6"] * len(inputs["image"])

    results = naming_scores.evaluate(Blind(), pictures)
    scores = [results["unseen_composition"], results["controls"]["blank_image"]]
    scores.append(results["controls"]["shuffled_images"])
    assert len({score["en"]["exact"] for score in scores}) == 1
    assert len({score["en"]["token_recall"] for score in scores}) == 1
    assert scores[0]["en"]["token_recall"] >= 0.6667


def test_a_split_without_people_has_no_such_part():
    pictures = make_pictures(people=False)
    results = naming_scores.evaluate(Knower(pictures), pictures)
    assert set(results["unseen_artist"]["by_subject"]) == {"things"}


def test_an_empty_split_is_refused():
    pictures = make_pictures(counts=COUNTS | {"unseen_artist": 0})
    with pytest.raises(ValueError, match="no texts"):
        naming_scores.evaluate(Knower(pictures), pictures)


def test_one_language_can_be_scored_alone(pictures):
    results = naming_scores.evaluate(Knower(pictures), pictures, languages=("zh",))
    assert set(results["unseen_artist"]) == {"by_subject", "zh"}
    assert results["unseen_artist"]["zh"]["exact"] == 1.0


def test_rows_name_every_score_once(results):
    rows = naming_scores.rows(results)
    labels = [label for label, _ in rows]
    assert len(labels) == len(set(labels))
    # Two languages: three splits, three kinds, two subjects in two splits, three controls.
    assert len(rows) == 2 * (3 + 3 + 4 + 3)
    scores = dict(rows)
    assert scores["unseen_composition / en"] == results["unseen_composition"]["en"]
    assert scores["controls / blank_image / zh"] == results["controls"]["blank_image"]["zh"]
    assert (
        scores["unseen_composition / by_kind / hair / en"]
        == results["unseen_composition"]["by_kind"]["hair"]["en"]
    )
