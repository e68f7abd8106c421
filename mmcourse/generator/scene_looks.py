"""What the scenes' model sees in each cell, and where the words of a question look (notebook 53).

Both can be asked before an answer is written: the first of the encoder alone, the second of the prompt.
"""

from collections.abc import Sequence

import numpy as np
from keras import ops

from mmcourse.data import questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.generator import scene_scores
from mmcourse.generator import scenes as task
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.packing import packed_mask
from mmcourse.mathematics.attention import transformer_block
from mmcourse.text import PAD_ID, tokenise


def nearest_names(model: MultimodalGenerator, images: np.ndarray, language: str) -> np.ndarray:
    """The name that is nearest to what the encoder sees in each cell, texts ``(examples, 9)``.

    A name is the mean of the embeddings of its tokens; near is what has a large cosine. No decoder runs.

    Args:
        images: ``(examples, 96, 96, 3)``.
        language: one of the fourteen, such as "en".
    """
    names = np.array([questions.name_of(thing, language) for thing in range(len(THINGS))])
    table = ops.convert_to_numpy(model.token_embedding.embeddings)
    vectors = _unit(np.stack([table[model.vocabulary.ids_of(name)].mean(axis=0) for name in names]))
    look = model.encoders["image"].look
    seen = ops.convert_to_numpy(look(images)).astype(np.float64)  # (examples, side, side, width)
    each = seen.shape[1] // scenes.GRID
    cells = seen.reshape(len(images), scenes.GRID, each, scenes.GRID, each, -1).mean(axis=(2, 4))
    return names[(_unit(cells) @ vectors.T).argmax(axis=-1)].reshape(len(images), scenes.PLACES)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def seen_rightly(model: MultimodalGenerator, exam: task.Exam, language: str) -> np.ndarray:
    """For each thing of an exam's scenes, portraits left out, whether the nearest name is its own."""
    found = nearest_names(model, exam.images, language)
    return np.array(
        [
            found[row, place] == questions.name_of(thing, language)
            for row, scene in enumerate(exam.scenes)
            if not scene.portrait
            for thing, place in zip(scene.things, scene.places, strict=True)
        ]
    )


def composed(exam: task.Exam, artist: str = "twemoji") -> np.ndarray:
    """Which questions of an exam :class:`mmcourse.generator.scene_scores.SpriteRival` answers exactly.

    Args:
        artist: whose pictures it knows.
    """
    rival, random = scene_scores.SpriteRival(artist), np.random.default_rng(0)
    found = []
    for image, scene, some in zip(exam.images, exam.scenes, exam.questions, strict=True):
        if scene.portrait:
            written = [rival.answer(image, scene, question) for question in some]
        else:  # the cells are compared once for all questions
            cells = rival.things(image)
            seen = scenes.place(list(cells.values()), list(cells), random)
            written = [question.about(seen) for question in some]
        found += [text == question.answer for text, question in zip(written, some, strict=True)]
    return np.array(found)


def prompt_looks(
    model: MultimodalGenerator, images: np.ndarray, prompts: Sequence[str]
) -> tuple[list[list[str]], np.ndarray]:
    """Where attention lies on the pictures while the model reads prompts.

    Args:
        images: ``(examples, 96, 96, 3)``.

    Returns:
        Each prompt's tokens, and the weights of the image tokens, ``float64`` ``(depth, examples, heads,
        prompt_length, side, side)``. What is missing to 1 lies on the prompt.
    """
    ids = model.encode_prompts(prompts)
    media, real = model.embed_media({"image": images, "prompt": ids})
    places = np.tile(np.arange(ids.shape[1]), (len(ids), 1))
    hidden = np.concatenate(
        [ops.convert_to_numpy(media), ops.convert_to_numpy(model.embed_text(ids, places))], axis=1
    ).astype(np.float64)
    mask = packed_mask(
        real,
        np.ones_like(ids, dtype=bool),
        (ids != PAD_ID).astype(np.int32),
        itself=not model.settings.matching,
    )
    seen, side = [], model.encoders["image"].side
    for block in model.blocks:
        hidden, weights = transformer_block(
            hidden, block.get_weights(), model.settings.heads, ops.convert_to_numpy(mask)
        )
        seen.append(weights[:, :, side**2 :, : side**2])
    tokens = [[model.vocabulary.tokens[number] for number in row if number != PAD_ID] for row in ids]
    found = np.stack(seen)
    return tokens, found.reshape(*found.shape[:-1], side, side)


def search(model: MultimodalGenerator, images: np.ndarray, asked: Sequence[questions.Question]) -> np.ndarray:
    """Where the name of a thing looks, ``float64`` ``(depth, examples, heads, side, side)``.

    A mean over the tokens of the name.

    Args:
        asked: questions that name a thing.

    Raises:
        ValueError: one names none.
    """
    without = [question.prompt for question in asked if question.thing is None]
    if without:
        raise ValueError(f"expected questions that name a thing; got {without[0]!r}")
    tokens, weights = prompt_looks(model, images, [question.prompt for question in asked])
    found = np.zeros((*weights.shape[:3], *weights.shape[-2:]))
    for row, (question, prompt) in enumerate(zip(asked, tokens, strict=True)):
        own = _name_tokens(question)
        places = [place for place, token in enumerate(prompt) if token in own]
        found[:, row] = weights[:, row][:, :, places].mean(axis=2)
    return found


def _name_tokens(question: questions.Question) -> set[str]:
    """The tokens of the name of what a question asks about, in the singular and in the plural."""
    own = THINGS[question.thing]
    return set(tokenise(f"{own.english} {own.plural}" if question.language == "en" else own.chinese))


def questions_for_a_place(
    exam: task.Exam, number: int
) -> tuple[list[questions.Question], list[scenes.Scene], np.ndarray, np.ndarray]:
    """The first English questions of an exam that ask where a thing is.

    Returns:
        ``(asked, drawn, images, cells)``: the questions, their scenes, the pictures ``uint8`` ``(questions,
        96, 96, 3)``, and the cells of what is asked for, ``int64`` ``(questions,)``.
    """
    every = [
        (question, scene, image)
        for scene, image, some in zip(exam.scenes, exam.images, exam.questions, strict=True)
        for question in some
        if (question.task, question.language) == ("where", "en")
    ]
    asked, drawn, images = (list(one) for one in zip(*every[:number], strict=True))
    cells = [
        scene.places[scene.things.index(question.thing)] for question, scene in zip(asked, drawn, strict=True)
    ]
    return asked, drawn, np.stack(images), np.array(cells)


def other_cells(drawn: Sequence[scenes.Scene], cells: Sequence[int]) -> dict[str, np.ndarray]:
    """For each scene the first cell with another thing than that in ``cells``, and the first empty one.

    Returns:
        "another thing" and "an empty cell" -> ``int64`` ``(scenes,)``.
    """
    thing = [
        next(place for place in scene.places if scene.at(place) != scene.at(int(cell)))
        for scene, cell in zip(drawn, cells, strict=True)
    ]
    empty = [next(place for place in range(scenes.PLACES) if scene.at(place) is None) for scene in drawn]
    return {"another thing": np.array(thing), "an empty cell": np.array(empty)}


def painted(images: np.ndarray, drawn: Sequence[scenes.Scene], cells: Sequence[int]) -> np.ndarray:
    """Pictures in which one cell is painted over with the ground's colour: what stood there is gone.

    Args:
        images: ``uint8`` ``(scenes, 96, 96, 3)``.
        drawn: their scenes.
        cells: for each the number of a place, 0 to 8.
    """
    found = images.copy()
    for picture, scene, cell in zip(found, drawn, cells, strict=True):
        row, column = (scenes.CELL * part for part in divmod(int(cell), scenes.GRID))
        picture[row : row + scenes.CELL, column : column + scenes.CELL] = scenes.GROUNDS[scene.ground]
    return found
