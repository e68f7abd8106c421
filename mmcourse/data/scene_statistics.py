"""What the scenes and their questions hold, in numbers, for their datasheet (notebook 53)."""

import numpy as np

from mmcourse.data import emoji, questions, scenes
from mmcourse.data.things import THINGS

DRAWN = 2000  # scenes that the shares are counted on


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number.

    What is fixed is counted; shares are those of :data:`DRAWN` training scenes.
    """
    pairs, lacking = scenes.held_out()
    number = len(THINGS)
    figures: dict[str, int | float] = {
        "things": number,
        "coloured circles, squares and hearts among them": sum(
            thing.english.endswith((" circle", " square", " heart")) for thing in THINGS
        ),
        "pixels along a side": scenes.SIDE,
        "places": scenes.PLACES,
        "sizes of a thing": len(scenes.SIZES),
        "colours of the ground": len(scenes.GROUNDS),
        "pairs of different things": number * (number - 1) // 2,
        "pairs that training never shows": int(np.triu(pairs, 1).sum()),
        "things of which training never shows two, or never three": int((lacking > 0).sum()),
        "languages of the questions": len(questions.LANGUAGES),
        "languages of names": len(emoji.LANGUAGES),
        "tasks": len(questions.TASKS),
    }
    for language, name in (("en", "English"), ("zh", "Chinese")):
        wordings = questions.WORDINGS[language]
        known = sum(questions.KNOWN[task] for task in questions.TASKS)
        figures[f"wordings in {name}"] = known
        figures[f"wordings in {name} that training never uses"] = (
            sum(len(wordings[task]) for task in questions.TASKS) - known
        )
    random = np.random.default_rng(0)
    drawn = [scenes.draw_scene("train", random) for _ in range(DRAWN)]
    items = np.array([len(scene.things) for scene in drawn])
    for count in range(1, items.max() + 1):
        figures[f"% of the training scenes with {count} item{'s' * (count > 1)}"] = round(
            100 * float((items == count).mean())
        )
    return figures
