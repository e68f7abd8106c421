"""The generator as ONNX files, so that a page or a phone can run it without Keras (notebook 55).

Writing them needs TensorFlow and tf2onnx. What uses them is in :mod:`mmcourse.generator.exported`.
"""

import functools
import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse.generator.exported import READ, SETTINGS, STEP
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.text import END_ID, PAD_ID, SPECIAL_TOKENS, START_ID, UNKNOWN_ID

OPSET = 17  # of 2022: what runs in pages and on phones knows it


def export(model: MultimodalGenerator, folder: str | Path) -> list[Path]:
    """Write a generator as ONNX files, each for a batch of any size.

    - ``NAME.onnx`` for each modality: from what its encoder takes, ``float32`` ``(batch, *shape)``, to
      ``tokens`` ``(batch, tokens, width)`` and which of them are ``real``, ``(batch, tokens)``.
    - ``read.onnx``: from ``NAME_tokens`` and ``NAME_real`` of every modality (False everywhere for one that
      is missing) and ``prompt``, ``int32`` ``(batch, prompt_length)``, to the caches, ``keys_0``,
      ``values_0``, ``keys_1``, … for each block ``(batch, heads, tokens, width / heads)``, and ``real``
      ``(batch, prefix)``.
    - ``step.onnx``: from ``token``, ``int32`` ``(batch,)``, ``place``, ``int32``, a scalar, ``real`` and the
      caches, to ``logits`` ``(batch, vocabulary)`` and ``next_keys_0``, ``next_values_0``, …
    - ``settings.json``: the vocabulary, the lengths and the shapes.

    Args:
        folder: made if it is not there; files of these names in it are replaced.

    Returns:
        The files that were written.

    Raises:
        ImportError: tf2onnx is not installed.
        ValueError: Keras runs on another backend than TensorFlow, the model does not compute in float32, or
            it holds something that ONNX lacks.
    """
    try:
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError("export needs tf2onnx: pip install tf2onnx", name="tf2onnx") from error
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ValueError(f"export needs the TensorFlow backend, got {backend}; set KERAS_BACKEND=tensorflow")
    precisions = {part.compute_dtype for part in (model, *model.encoders.values())}
    if precisions != {"float32"}:
        raise ValueError(f"export needs a model that computes in float32, got {', '.join(precisions)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {}
    for name, encoder in model.encoders.items():
        encode = functools.partial(_encode, name, encoder)
        made = _write(folder / f"{name}.onnx", encode, {name: ("float32", encoder.shape)})
        shapes[name] = made["tokens"]
    reader, size = _reader(model, shapes), model.settings

    def read(inputs):
        media = {
            name: {"tokens": inputs[f"{name}_tokens"], "real": inputs[f"{name}_real"]} for name in shapes
        }
        caches, real = reader.read(media | {"prompt": inputs["prompt"]})
        return _named(caches) | {"real": real}

    given: dict = {"prompt": ("int32", (size.prompt_length,))}
    for name, shape in shapes.items():
        given |= {f"{name}_tokens": ("float32", shape), f"{name}_real": ("bool", shape[:1])}
    made = _write(folder / READ, read, given)
    caches = [name for name in made if name != "real"]

    def step(inputs):
        kept = [inputs[name] for name in caches]  # keys, values, keys, …
        old = list(zip(kept[::2], kept[1::2], strict=True))
        logits, new = reader.next_logits(inputs["token"], inputs["place"], old, inputs["real"])
        return {"logits": logits} | {f"next_{name}": one for name, one in _named(new).items()}

    given = {"token": ("int32", ()), "place": ("int32", None), "real": ("bool", made["real"])}
    _write(folder / STEP, step, given | {name: ("float32", made[name]) for name in caches})
    settings = {
        "modalities": {
            name: {"shape": list(encoder.shape), "tokens": list(shapes[name])}
            for name, encoder in model.encoders.items()
        },
        "prompt_length": size.prompt_length,
        "answer_length": size.answer_length,
        "caches": caches,
        "special": {"padding": PAD_ID, "start": START_ID, "end": END_ID, "unknown": UNKNOWN_ID},
        "vocabulary": list(model.vocabulary.tokens),
    }
    (folder / SETTINGS).write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")
    return [folder / name for name in (*(f"{name}.onnx" for name in shapes), READ, STEP, SETTINGS)]


def _named(caches) -> dict:
    """The blocks' keys and values by name."""
    return {
        f"{kind}_{number}": kept
        for number, cache in enumerate(caches)
        for kind, kept in zip(("keys", "values"), cache, strict=True)
    }


def _encode(name: str, encoder: keras.layers.Layer, inputs: dict) -> dict:
    """What an encoder makes of its modality, and which tokens of that are real."""
    tokens, real = encoder(inputs[name]), encoder.compute_mask(inputs[name], None)
    return {"tokens": tokens, "real": ops.ones_like(tokens[:, :, 0], "bool") if real is None else real}


class _Encoded(keras.layers.Layer):
    """In the place of an encoder: what it made, handed on.

    Args:
        shape: of its tokens, ``(tokens, width)``.
    """

    def __init__(self, shape: tuple[int, int], **kwargs):
        super().__init__(**kwargs)
        self.shape = shape

    def build(self, shape):
        pass

    def compute_mask(self, given, previous_mask=None):
        return given["real"]

    def call(self, given, training=False):
        return given["tokens"]


def _reader(model: MultimodalGenerator, shapes: dict) -> MultimodalGenerator:
    """The same generator without its encoders."""
    ordinary = model.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    encoded = {name: _Encoded(shape, name=f"{name}_encoded") for name, shape in shapes.items()}
    reader = MultimodalGenerator(encoded, ordinary, model.settings, model.asking, dtype=model.dtype_policy)
    reader.build()
    of_encoders = {id(weight) for encoder in model.encoders.values() for weight in encoder.weights}
    reader.set_weights([weight.numpy() for weight in model.weights if id(weight) not in of_encoders])
    return reader


def _write(path: Path, function, given: dict) -> dict[str, tuple[int, ...]]:
    """Write what a function computes.

    Args:
        function: takes and gives a dictionary of tensors.
        given: name -> ``(dtype, shape)`` of what it takes, the shape without the batch; None for a scalar.

    Returns:
        Name -> shape without the batch of what it gives.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    specification = {
        name: tf.TensorSpec(() if shape is None else (None, *shape), dtype, name=name)
        for name, (dtype, shape) in given.items()
    }
    traced = tf.function(function)
    made = traced.get_concrete_function(specification).structured_outputs
    written, _ = tf2onnx.convert.from_function(
        traced,
        input_signature=[specification],
        opset=OPSET,
        custom_op_handlers={"XlaDynamicUpdateSlice": (_update_slice, [])},
    )
    try:
        onnx.checker.check_model(written)
    except onnx.checker.ValidationError as error:
        raise ValueError(f"{path.name} cannot be written: {error}") from None
    onnx.save(written, path)
    return {name: tuple(tensor.shape[1:]) for name, tensor in made.items()}


def _update_slice(graph, node, name, args):
    """What ``ops.slice_update`` is in ONNX: the new part, surrounded by zeros, where it lies, and the old
    array elsewhere. tf2onnx calls this for each."""
    from onnx import TensorProto

    old, new, start = node.input
    one = graph.make_const(f"{name}_one", np.ones((), "float32")).output[0]

    def make(kind: str, inputs: list[str], **attributes) -> str:
        return graph.make_node(kind, inputs, attr=attributes).output[0]

    before = make("Cast", [start], to=TensorProto.INT64)
    after = make("Sub", [make("Sub", [make("Shape", [old]), make("Shape", [new])]), before])
    around = make("Concat", [before, after], axis=0)
    ones = make("Expand", [one, make("Shape", [new])])
    inside = make("Cast", [make("Pad", [ones, around])], to=TensorProto.BOOL)
    shape, dtype = graph.get_shape(node.output[0]), graph.get_dtype(node.output[0])
    graph.remove_node(node.name)
    inputs = [inside, make("Pad", [new, around]), old]
    graph.make_node("Where", inputs, outputs=node.output, shapes=[shape], dtypes=[dtype])
