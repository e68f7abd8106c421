"""Right and wrong answers to the exercises of the notebook on spoken questions."""

import itertools

import numpy as np

from mmcourse.audio.augmentation import add_noise, white_noise


def read(path):
    said, before = [], 0
    for label in path:
        if label not in (0, before):
            said.append(label)
        before = label
    return said


def chance(chances, target):
    total = 0.0
    for path in itertools.product(range(chances.shape[1]), repeat=len(chances)):
        if read(path) == target:
            total += np.prod([row[label] for row, label in zip(chances, path, strict=True)])
    return total


def chance_forward(chances, target):
    """The forward sums of Graves et al. (2006), section 4.1."""
    labels = [0]
    for word in target:
        labels += [word, 0]
    sums = np.zeros(len(labels))
    sums[:2] = chances[0, labels[:2]]
    for row in chances[1:]:
        before = sums.copy()
        for place, label in enumerate(labels):
            sums[place] = before[place] + (before[place - 1] if place else 0)
            if place > 1 and label != 0 and label != labels[place - 2]:
                sums[place] += before[place - 2]
            sums[place] *= row[label]
    return sums[-2:].sum() if target else sums[-1]


def noise(waveforms, truths, listen, levels=(30, 20, 10, 0), again=False, mean=np.mean, sign=1):
    random, found, before = np.random.default_rng(0), {}, waveforms
    for level in levels:
        noisy = [add_noise(one, white_noise(len(one), random), sign * level) for one in before]
        answers = listen(noisy)
        found[level] = mean([said == truth for said, truth in zip(answers, truths, strict=True)])
        before = noisy if again else waveforms
    return found


def noise_by_formula(waveforms, truths, listen):
    """The noise is scaled by hand."""
    random, found = np.random.default_rng(1), {}
    for level in (0, 10, 20, 30):
        noisy = []
        for one in waveforms:
            drawn = random.normal(size=len(one))
            drawn *= np.sqrt(np.mean(one**2) / np.mean(drawn**2) / 10 ** (level / 10))
            noisy.append(one + drawn)
        found[level] = sum(map(str.__eq__, listen(noisy), truths)) / len(truths)
    return found


RIGHT = {
    "listening-read": {
        "loop": read,
        "groups": lambda path: [label for label, _ in itertools.groupby(path) if label],
        "array": lambda path: np.array(read(path)),
    },
    "listening-chance": {
        "all paths": chance,
        "forward": chance_forward,
        "float32": lambda chances, target: np.float32(chance_forward(chances, target)),
    },
    "listening-noise": {"with add_noise": noise, "by formula": noise_by_formula},
}
WRONG = {
    "listening-read": {
        "0 first": lambda path: [label for label, _ in itertools.groupby(one for one in path if one)],
        "repetitions stay": lambda path: [label for label in path if label],
        "a set": lambda path: sorted(set(path) - {0}),
        "0 stays": lambda path: [label for label, _ in itertools.groupby(path)],
    },
    "listening-chance": {
        "best path": lambda chances, target: float(chances.max(axis=1).prod()),
        "logarithm": lambda chances, target: np.log(chance(chances, target)),
        "mean of paths": lambda chances, target: chance(chances, target) / chances.shape[1] ** len(chances),
    },
    "listening-noise": {
        "three levels": lambda *given: noise(*given, levels=(30, 20, 10)),
        "noise on noise": lambda *given: noise(*given, again=True),
        "counts": lambda *given: noise(*given, mean=np.sum),
        "the other way round": lambda *given: noise(*given, sign=-1),
        "no noise": lambda waveforms, truths, listen: dict.fromkeys((30, 20, 10, 0), 1.0),
        "clean": lambda waveforms, truths, listen: {
            level: np.mean([a == b for a, b in zip(listen(waveforms), truths, strict=True)])
            for level in (30, 20, 10, 0)
        },
    },
}
