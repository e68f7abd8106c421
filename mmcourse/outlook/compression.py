"""A trained model made smaller (notebook 82): fewer weights, fewer bits, lower ranks, a smaller model taught.

Sources: Han et al. (2015) for pruning by magnitude; Jacob et al. (2018) for whole numbers with a scale;
Hinton et al. (2015) for distillation; Hu et al. (2022), section 4.1, for low-rank adaptation; Eckart and
Young (1936) for the best matrix of a given rank. Models are changed by :func:`adapt` alone, and inside
:func:`~mmcourse.outlook.weights.replaced`; all else returns something new.
"""

import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from mmcourse.checks import check_between, check_count
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.packing import pack
from mmcourse.mathematics import attention
from mmcourse.outlook.weights import replaced

CHANNELS = 0  # the axis over which each output of a dense layer's kernel has its largest weight


class Quantised(NamedTuple):
    """A matrix of whole numbers: it stands for ``codes * scale``.

    Attributes:
        codes: ``int8``, the shape of the weights; from ``-(2 ** (bits - 1) - 1)`` to the same above zero.
        scale: ``float32``, the size of one step; broadcasts against the codes.
        bits: 2 to 8.
    """

    codes: np.ndarray
    scale: np.ndarray
    bits: int

    def weights(self) -> np.ndarray:
        """What the model calculates with, ``float32``."""
        return self.codes * self.scale

    def stored(self) -> list[np.ndarray]:
        """What has to be kept: the codes without a gap between their bits, and the scale."""
        return [pack_bits(self.codes, self.bits), self.scale]


def quantise(weights: ArrayLike, bits: int = 8, axis: int | None = CHANNELS) -> Quantised:
    """Round weights to whole multiples of a step, with zero kept at zero (Jacob et al., 2018, section 2.1).

    The step is the largest absolute weight, divided by the largest code. No weight moves by more than half a
    step.

    Args:
        weights: finite numbers, any shape.
        bits: of each code, 2 to 8.
        axis: the largest weight is taken along it, so that with the kernel ``(inputs, outputs)`` of a dense
            layer 0 gives each output a step of its own; None gives one step for all.

    Raises:
        ValueError: other bits, or a weight that is no finite number.
    """
    table = _finite(weights)
    check_between("bits", check_count("bits", bits, 2), 2, 8)
    top = 2 ** (bits - 1) - 1
    largest = np.abs(table).max(axis=axis, keepdims=True, initial=0)
    scale = np.where(largest > 0, largest / top, 1).astype(np.float32)
    codes = np.clip(np.round(table / scale), -top, top).astype(np.int8)
    return Quantised(codes, scale, bits)


def pack_bits(codes: np.ndarray, bits: int) -> np.ndarray:
    """Put whole numbers side by side without a gap: ``int8`` of any shape to ``uint8`` ``(bytes,)``.

    Raises:
        ValueError: a code does not fit.
    """
    codes, top = np.asarray(codes), 2 ** (bits - 1)
    if codes.size and not -top <= int(codes.min()) <= int(codes.max()) < top:
        raise ValueError(
            f"codes of {bits} bits are from {-top} to {top - 1}, got {codes.min()} to {codes.max()}"
        )
    each = np.unpackbits((codes.astype(np.int16).ravel() + top).astype(np.uint8)[:, None], axis=1)
    return np.packbits(each[:, 8 - bits :])


def unpack_bits(packed: np.ndarray, bits: int, shape: Sequence[int]) -> np.ndarray:
    """The codes that :func:`pack_bits` was given, ``int8`` of ``shape``."""
    count = int(np.prod(shape))
    each = np.unpackbits(packed, count=count * bits).reshape(count, bits)
    wide = np.concatenate([np.zeros((count, 8 - bits), np.uint8), each], axis=1)
    codes = np.packbits(wide, axis=1).astype(np.int16) - 2 ** (bits - 1)
    return codes.reshape(tuple(shape)).astype(np.int8)


def kept_by_size(matrices: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """Which weights stay if the smallest ``share`` of them all, over all matrices together, goes.

    Args:
        matrices: name -> weights.
        share: 0 to 1.

    Returns:
        Name -> boolean, the shape of the weights; False for what is pruned (Han et al., 2015).

    Raises:
        ValueError: another share, or no matrix.
    """
    check_between("share", share, 0, 1)
    if not matrices:
        raise ValueError("expected at least one matrix, got none")
    sizes = np.concatenate([np.abs(_finite(matrix)).ravel() for matrix in matrices.values()])
    gone = np.argsort(sizes, kind="stable")[: round(share * len(sizes))]
    kept = np.ones(len(sizes), dtype=bool)
    kept[gone] = False
    return _cut(kept, matrices)


def kept_by_chance(matrices: Mapping[str, np.ndarray], share: float, seed: int = 0) -> dict[str, np.ndarray]:
    """As :func:`kept_by_size`, with the same number of weights drawn by lot: the rival."""
    check_between("share", share, 0, 1)
    total = sum(matrix.size for matrix in matrices.values())
    kept = np.ones(total, dtype=bool)
    kept[np.random.default_rng(seed).permutation(total)[: round(share * total)]] = False
    return _cut(kept, matrices)


def sparse_arrays(weights: np.ndarray) -> list[np.ndarray]:
    """What has to be kept of a pruned matrix: one bit for each place, and the weights that are not 0."""
    return [np.packbits(weights != 0), weights[weights != 0]]


def low_rank(weights: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The two thin matrices whose product is nearest to a matrix (Eckart and Young, 1936).

    Args:
        weights: ``(inputs, outputs)``.
        rank: 1 to the smaller side.

    Returns:
        ``(inputs, rank)`` and ``(rank, outputs)``, of the weights' dtype. Their product differs from the
        weights by a matrix whose largest singular value is the first that was left out.

    Raises:
        ValueError: no matrix, or another rank.
    """
    if np.ndim(weights) != 2:
        raise ValueError(f"weights must be (inputs, outputs), got the shape {np.shape(weights)}")
    check_between("rank", check_count("rank", rank), 1, min(weights.shape))
    left, values, right = np.linalg.svd(weights, full_matrices=False)
    dtype = np.asarray(weights).dtype
    return (left[:, :rank] * values[:rank]).astype(dtype), right[:rank].astype(dtype)


def kept_units(network_in: np.ndarray, network_out: np.ndarray, share: float) -> np.ndarray:
    """Which hidden units of a two-layer network stay if the least important ``share`` of them goes.

    A unit's importance is the length of its incoming weights times that of its outgoing ones. Leaving a unit
    out makes both matrices smaller; it changes the output as if the unit's outgoing weights were 0.

    Args:
        network_in: ``(inputs, hidden)``.
        network_out: ``(hidden, outputs)``.
        share: 0 to 1; one unit always stays.

    Returns:
        Boolean ``(hidden,)``.

    Raises:
        ValueError: shapes that do not fit, or another share.
    """
    check_between("share", share, 0, 1)
    if network_in.ndim != 2 or network_out.ndim != 2 or network_in.shape[1] != network_out.shape[0]:
        raise ValueError(
            f"expected (inputs, hidden) and (hidden, outputs), got {network_in.shape} and {network_out.shape}"
        )
    importance = np.linalg.norm(network_in, axis=0) * np.linalg.norm(network_out, axis=1)
    gone = min(round(share * len(importance)), len(importance) - 1)
    kept = np.ones(len(importance), dtype=bool)
    kept[np.argsort(importance, kind="stable")[:gone]] = False
    return kept


def file_bytes(arrays: Iterable[np.ndarray], zipped: bool = False) -> int:
    """Bytes of a file that holds the arrays: NumPy's ``.npz``, as it is or compressed by zlib."""
    file = io.BytesIO()
    named: dict[str, Any] = {f"array{number}": array for number, array in enumerate(arrays)}
    (np.savez_compressed if zipped else np.savez)(file, **named)
    return file.getbuffer().nbytes


def matrices_of(model: keras.Model, least: int = 256) -> dict[str, np.ndarray]:
    """The weight matrices of a model, copied: path -> ``(inputs, outputs)``.

    Biases, scales of normalisation and vectors of positions are left out, and so are matrices of fewer than
    ``least`` numbers: they are small, and rounding them gains nothing.
    """
    return {
        weight.path: weight.numpy()
        for weight in model.weights
        if len(weight.shape) == 2
        and weight.path.rsplit("/", 1)[-1] in ("kernel", "embeddings")
        and int(np.prod(weight.shape)) >= least
    }


class ExactAnswers(keras.Model):
    """Whether a generator would write exactly the true answer, found in one step for each picture.

    The likeliest token after the true ones is the true one everywhere: that is when, and only when, greedy
    writing gives the true answer from its first token to its end. So nothing has to be written.

    Args:
        generator: takes pictures under "image".
        prompt: the question, one for all pictures.
    """

    def __init__(self, generator: MultimodalGenerator, prompt: str, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.prompt, self.slots = generator, prompt, 0
        self.built = True

    def call(self, inputs):
        inputs = dict(inputs)
        targets = inputs.pop("targets")
        likeliest = ops.cast(ops.argmax(self.generator(inputs), axis=-1), targets.dtype)
        return ops.all(ops.equal(likeliest, targets) | ops.equal(targets, 0), axis=1)

    def right(self, images: np.ndarray, answers: Sequence[str], batch_size: int = 100) -> np.ndarray:
        """Boolean ``(pictures,)``.

        Args:
            images: ``(pictures, size, size, 3)``.
            answers: the true one for each picture.
        """
        ids_of = self.generator.vocabulary.ids_of
        rows = [[(ids_of(self.prompt), ids_of(answer))] for answer in answers]
        slots = max(len(answer) for ((_, answer),) in rows) + 1
        if slots != self.slots:  # the generator needs a length that is known when it is compiled
            self.slots, self.predict_function = slots, None
        prompt_length = self.generator.settings.prompt_length
        inputs, targets = pack(rows, prompt_length + slots, slots, prompt_length)
        inputs |= {"image": images, "targets": targets}
        return self.predict(inputs, batch_size=batch_size, verbose=0)


class Trial:
    """One trained model, and what is left of it after each way of making it smaller.

    Attributes:
        model: the model, which is itself again after every trial.
        matrices: its weight matrices, see :func:`matrices_of`.
        rest: all other weights, which are stored as they are.
        results: name of a way -> (bytes of the file, boolean array of right answers).

    Args:
        right: answers the test with the model as it is now, and says which answers are right.
    """

    def __init__(self, model: keras.Model, right: Callable[[], np.ndarray]):
        self.model, self.right = model, right
        self.matrices = matrices_of(model)
        self.rest = [weight.numpy() for weight in model.weights if weight.path not in self.matrices]
        self.results: dict[str, tuple[int, np.ndarray]] = {}

    def measure(self, name: str, stored: Iterable[np.ndarray], used: Mapping[str, np.ndarray]) -> None:
        """Try one way, and keep what comes out under its name.

        Args:
            stored: the arrays that take the matrices' place in the file.
            used: path -> the matrix that the model then calculates with.
        """
        with replaced(self.model, used):
            self.results[name] = file_bytes([*stored, *self.rest]), self.right()

    def round(self, bits: int, axis: int | None = CHANNELS, name: str = "") -> None:
        """Try fewer bits for every matrix; see :func:`quantise`."""
        codes = {path: quantise(matrix, bits, axis) for path, matrix in self.matrices.items()}
        stored = [array for one in codes.values() for array in one.stored()]
        used = {path: one.weights() for path, one in codes.items()}
        self.measure(name or f"{bits} bits", stored, used)

    def prune(self, kept: Mapping[str, np.ndarray], name: str) -> None:
        """Try it without some weights; see :func:`kept_by_size` and :func:`sparse_arrays`."""
        used = {path: matrix * kept[path] for path, matrix in self.matrices.items()}
        self.measure(name, [array for one in used.values() for array in sparse_arrays(one)], used)

    def thin(self, part: float, name: str, least: int = 4096) -> None:
        """Try two thin matrices for each; see :func:`low_rank`.

        Args:
            part: of a matrix's numbers, which its two thin ones together have at most; at least rank 1.
            least: matrices of fewer numbers stay whole: they would lose much and save little.
        """
        pairs = {
            path: low_rank(matrix, max(1, int(part * matrix.size / sum(matrix.shape))))
            for path, matrix in self.matrices.items()
            if matrix.size >= least
        }
        stored = [array for pair in pairs.values() for array in pair]
        stored += [matrix for path, matrix in self.matrices.items() if path not in pairs]
        self.measure(name, stored, {path: down @ up for path, (down, up) in pairs.items()})


def onnx_product(weights: np.ndarray, whole_numbers: bool = False) -> Callable[[np.ndarray], np.ndarray]:
    """A layer's product in ONNX Runtime, on one thread.

    Args:
        weights: ``float32`` ``(inputs, outputs)``.
        whole_numbers: calculate with eight bits: the weights are rounded once, the inputs each time ("dynamic
            quantisation").

    Returns:
        ``(rows, inputs)`` to ``(rows, outputs)``, ``float32`` both.
    """
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import quantization

    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size])
        for name, size in zip("xy", weights.shape, strict=True)
    ]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "product", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "product.onnx")
        onnx.save(model, path)
        if whole_numbers:
            smaller = Path(folder, "whole.onnx")
            quantization.quantize_dynamic(path, smaller, per_channel=True)
            path = smaller
        session = onnxruntime.InferenceSession(path.read_bytes(), options)
    return lambda rows: session.run(None, {"x": rows})[0]


def adapt(layers: Iterable[keras.layers.Dense], rank: int) -> int:
    """Freeze dense layers, and let a pair of thin matrices learn beside each kernel (Hu et al., 2022).

    The second of a pair begins as zeros, so that the first answer is that of the old layer; Keras's
    ``Dense.enable_lora`` adds them.

    Args:
        layers: built dense layers without such a pair.
        rank: of each pair, 1 or more.

    Returns:
        How many numbers are left to train in these layers.

    Raises:
        ValueError: another rank, or a layer that has a pair.
    """
    check_count("rank", rank)
    count = 0
    for layer in layers:
        layer.enable_lora(rank)
        if layer.bias is not None:
            layer.bias.trainable = False
        count += sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)
    return count


def soften(logits: ArrayLike, temperature: float) -> np.ndarray:
    """Probabilities of logits divided by a temperature (Hinton et al., 2015, equation 1).

    Args:
        logits: ``(..., classes)``.
        temperature: above 0; high values bring the probabilities nearer to each other.

    Raises:
        ValueError: another temperature.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature!r}")
    return attention.softmax(np.asarray(logits, dtype=np.float64) / temperature)


def _finite(weights: ArrayLike) -> np.ndarray:
    table = np.asarray(weights, dtype=np.float32)
    if not np.isfinite(table).all():
        raise ValueError("the weights hold NaN or infinity: the model is broken already")
    return table


def _cut(flat: np.ndarray, matrices: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Pieces of a flat array in the shapes of the matrices."""
    ends = np.cumsum([matrix.size for matrix in matrices.values()])
    pieces = np.split(flat, ends[:-1])
    return {
        name: piece.reshape(matrix.shape)
        for (name, matrix), piece in zip(matrices.items(), pieces, strict=True)
    }
