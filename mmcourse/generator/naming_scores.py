"""The scores of the naming model: how well it names what it has never seen, and what it needs for that."""

from collections.abc import Sequence

import numpy as np

from mmcourse.data.emoji import EmojiPictures
from mmcourse.evaluation import controls, texts
from mmcourse.generator import naming
from mmcourse.generator.model import MultimodalGenerator

TEST_SPLITS = ("unseen_composition", "unseen_artist", "unseen_concept")
# The language whose prompt takes another's place in the control.
_FOLLOWING = dict(zip(naming.LANGUAGES, (*naming.LANGUAGES[1:], naming.LANGUAGES[0]), strict=True))
KINDS = ("skin tone", "gender", "hair")


def evaluate(
    model: MultimodalGenerator, pictures: EmojiPictures, languages: Sequence[str] = naming.LANGUAGES
) -> dict:
    """Score a model on the test splits, and on unseen compositions with one modality taken away.

    Returns:
        ``{split: {language: score}}`` with scores as of :func:`mmcourse.evaluation.texts.score`;
        ``unseen_composition`` has ``by_kind`` too, the others ``by_subject``; ``controls`` holds
        ``shuffled_images``, ``blank_image`` and ``swapped_prompt`` in the same form.

    Raises:
        ValueError: the pictures have another size than the model reads, or a split is empty.
    """
    results: dict = {}
    for split in TEST_SPLITS:
        chosen = pictures.splits[split]
        images = pictures.images[chosen]
        parts = _parts(pictures, split)
        results[split] = {name: {} for name in parts}
        for language in languages:
            true = pictures.names(language, chosen)
            generated = model.generate({"image": images}, naming.PROMPTS[language][0])
            results[split][language] = texts.score(generated, true)
            for name, members in parts.items():
                for kind, rows in members.items():
                    results[split][name].setdefault(kind, {})[language] = texts.score(
                        [generated[i] for i in rows], [true[i] for i in rows]
                    )
    results["controls"] = control_scores(model, pictures, languages)
    return results


def control_scores(
    model: MultimodalGenerator, pictures: EmojiPictures, languages: Sequence[str] = naming.LANGUAGES
) -> dict:
    """Scores on unseen compositions with the pictures shuffled, blank, or the prompt of another language."""
    chosen = pictures.splits["unseen_composition"]
    images = pictures.images[chosen]
    inputs = {"image": images}
    results: dict = {"shuffled_images": {}, "blank_image": {}, "swapped_prompt": {}}
    for language in languages:
        true = pictures.names(language, chosen)
        prompt = naming.PROMPTS[language][0]
        other = naming.PROMPTS[_FOLLOWING[language]][0]
        swapped = controls.swapped_prompts([prompt] * len(true), {prompt: other})
        for name, changed, prompts in (
            ("shuffled_images", controls.permute(inputs, "image"), prompt),
            ("blank_image", controls.blank(inputs, "image", 255), prompt),
            ("swapped_prompt", inputs, swapped),
        ):
            results[name][language] = texts.score(model.generate(changed, prompts), true)
    return results


def _parts(pictures: EmojiPictures, split: str) -> dict[str, dict[str, np.ndarray]]:
    """The subsets of a split that are scored apart: group name -> part -> places within the split."""
    chosen = pictures.splits[split]
    if split == "unseen_composition":
        kinds = np.array([pictures.kinds[i] for i in chosen])
        return {"by_kind": {kind: np.flatnonzero(kinds == kind) for kind in KINDS}}
    person = np.array([pictures.entries[i].person for i in chosen], dtype=bool)
    parts = {"people": np.flatnonzero(person), "things": np.flatnonzero(~person)}
    return {"by_subject": {name: rows for name, rows in parts.items() if len(rows)}}


def rows(results: dict) -> list[tuple[str, dict]]:
    """The scores of :func:`evaluate` as a flat list: (label such as "controls / blank_image / en", score)."""
    found = []
    for name, value in results.items():
        if "exact" in value:
            found.append((name, value))
        else:
            found += [(f"{name} / {label}", score) for label, score in rows(value)]
    return found
