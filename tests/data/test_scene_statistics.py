"""The figures of the scenes' datasheet."""

from mmcourse.data import questions, scene_statistics, scenes
from mmcourse.data.things import THINGS


def test_statistics_are_those_of_the_set():
    figures = scene_statistics.statistics()
    pairs, lacking = scenes.held_out()
    assert figures["pairs of different things"] == sum(
        1 for one in range(len(THINGS)) for _ in range(one + 1, len(THINGS))
    )
    assert 2 * figures["pairs that training never shows"] == pairs.sum()
    assert figures["things of which training never shows two, or never three"] == len(lacking.nonzero()[0])
    for language, name in (("en", "English"), ("zh", "Chinese")):
        every = sum(len(some) for some in questions.WORDINGS[language].values())
        unused = figures[f"wordings in {name} that training never uses"]
        assert figures[f"wordings in {name}"] + unused == every and unused > 0
    shares = [value for label, value in figures.items() if label.startswith("% of the training scenes")]
    assert len(shares) == 4 and abs(sum(shares) - 100) <= 2
