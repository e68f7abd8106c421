"""Running an exported generator with onnxruntime and NumPy alone (notebook 55).

What a page or a phone has to do is all in :meth:`Exported.write`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcourse.text import END_ID, PAD_ID, SPECIAL_TOKENS, START_ID, Vocabulary

SETTINGS, READ, STEP = "settings.json", "read.onnx", "step.onnx"


class Exported:
    """A generator that :func:`mmcourse.generator.export.export` has written.

    Args:
        folder: where.

    Raises:
        ValueError: a file is missing.
    """

    def __init__(self, folder: str | Path):
        import onnxruntime

        folder = Path(folder)
        if not (folder / SETTINGS).is_file():
            raise ValueError(f"no exported model in {folder}: it lacks {SETTINGS}; make one: mmcourse export")
        self.settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        self.vocabulary = Vocabulary(self.settings["vocabulary"][len(SPECIAL_TOKENS) :])
        self.sessions = {}
        for file in (READ, STEP, *(f"{name}.onnx" for name in self.settings["modalities"])):
            if not (folder / file).is_file():
                raise ValueError(f"the exported model in {folder} lacks {file}; export it again")
            self.sessions[file] = onnxruntime.InferenceSession(
                folder / file, providers=["CPUExecutionProvider"]
            )

    def run(self, file: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What one of the files makes of some arrays."""
        session = self.sessions[file]
        made = session.run(None, dict(inputs))
        return dict(zip((output.name for output in session.get_outputs()), made, strict=True))

    def generate(self, inputs: Mapping[str, np.ndarray], prompts: str | Sequence[str]) -> list[str]:
        """Answer prompts, greedily, as :meth:`mmcourse.generator.model.MultimodalGenerator.generate`.

        Raises:
            ValueError: there is no such modality, an array has another shape, the numbers of examples differ,
                or a prompt is empty, too long or holds a word that the model has never seen.
        """
        arrays = {name: self._checked(name, np.asarray(array)) for name, array in inputs.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if not isinstance(prompts, str):
            counts["prompts"] = len(prompts)
        count = max(counts.values(), default=1)
        if any(number != count for number in counts.values()):
            raise ValueError(f"expected as many prompts as examples of each modality, got {counts}")
        if not count:
            return []
        prompts = [prompts] * count if isinstance(prompts, str) else list(prompts)
        for prompt in set(prompts):
            if not prompt.strip():
                raise ValueError("the prompt is empty")
            if unknown := self.vocabulary.unknown_tokens(prompt):
                raise ValueError(
                    f"the prompt {prompt[:60]!r} holds words that the model has never seen: "
                    f"{', '.join(unknown[:5])[:100]}"
                )
        arrays["prompt"] = self.vocabulary.encode(prompts, self.settings["prompt_length"])
        return self.vocabulary.decode(self.write(arrays))

    def write(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Token ids of the greedy answers, ``int32`` ``(batch, answer_length)``.

        Args:
            inputs: "prompt" ``int32`` ``(batch, prompt_length)``, and ``float32`` ``(batch, *shape)`` of each
                modality that is present.
        """
        batch, given = len(inputs["prompt"]), {"prompt": inputs["prompt"]}
        for name, modality in self.settings["modalities"].items():
            if name in inputs:
                encoded = self.run(f"{name}.onnx", {name: inputs[name]})
            else:  # tokens that nobody looks at
                shape = (batch, *modality["tokens"])
                encoded = {"tokens": np.zeros(shape, "float32"), "real": np.zeros(shape[:2], bool)}
            given |= {f"{name}_{part}": array for part, array in encoded.items()}
        kept = self.run(READ, given)  # the caches, and which tokens of the prefix are real
        answers = np.full((batch, self.settings["answer_length"]), PAD_ID, dtype="int32")
        token, finished = np.full(batch, START_ID, dtype="int32"), np.zeros(batch, dtype=bool)
        for place in range(answers.shape[1]):
            made = self.run(STEP, kept | {"token": token, "place": np.array(place, dtype="int32")})
            kept |= {name: made[f"next_{name}"] for name in self.settings["caches"]}
            token = np.where(finished, PAD_ID, made["logits"].argmax(axis=-1)).astype("int32")
            answers[:, place] = token
            finished |= token == END_ID
            if finished.all():
                break
        return answers

    def _checked(self, name: str, array: np.ndarray) -> np.ndarray:
        modalities = self.settings["modalities"]
        if name not in modalities:
            raise ValueError(f"unknown modality {name!r}; this model has: {', '.join(modalities)}")
        shape = tuple(modalities[name]["shape"])
        if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
            raise ValueError(f"{name} must be (examples, {', '.join(map(str, shape))}), got {array.shape}")
        return array.astype("float32")
