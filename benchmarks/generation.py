"""Writing 24 tokens about each of 64 pictures, in the ways that people write them.

"cached" is the course's way: the picture and the prompt are read once, and each token is one step of a
compiled loop over the keys and values that are kept, here with XLA; "cached, no XLA" is `generate` as it
comes, which does not wait for XLA to compile. "uncached" is a compiled loop that reads everything again for
each token, "predict" the loop of tutorials, which calls `model.predict` for each token.
"transformers" is `generate` of a vision encoder and decoder of Hugging Face of about this size, on PyTorch;
"keras-hub" that of its PaliGemma. Their networks are not the same, only about as large; each is random, and
none ever writes its end. What is counted are pictures; a run's figures hold the most bytes that its process
held.

    python benchmarks/generation.py --output benchmarks/results/generation.json

Neither PyTorch nor Transformers is part of the lock: python -m pip install torch transformers
"""

import os

import compare
import numpy as np
from training_step import (
    ANSWER,
    BATCH,
    DEPTH,
    HEADS,
    HIDDEN,
    PROMPT,
    SIDE,
    WIDTH,
    WORDS,
    arrays,
    generator,
)

TIMES = int(os.environ.get("BENCHMARK_TIMES", 10))
IMPOSSIBLE = -1e9


def model_and_inputs():
    """The generator, kept from ending an answer, and what it is asked."""
    from mmcourse.text import END_ID

    model, inputs = generator(), arrays(BATCH)
    bias = np.zeros(WORDS, dtype=np.float32)
    bias[END_ID] = IMPOSSIBLE
    model.to_logits.bias.assign(bias)
    del inputs["answer"]
    return model, inputs


def compiled(measure: compare.Measurement, choose, xla: bool) -> dict:
    """A way of choosing as a Keras model, compiled to a graph, and that with XLA if asked."""
    from mmcourse.generator.decoding import Writer

    model, inputs = model_and_inputs()
    writer = Writer(model, choose)
    writer.compile(jit_compile=xla)
    written = writer.predict_on_batch(inputs)  # as generate does with one batch
    with measure(BATCH * TIMES):
        for _ in range(TIMES):
            writer.predict_on_batch(inputs)
    return described(model, written)


def described(model, written) -> dict:
    """Figures that say what was written by what."""
    if written.shape != (BATCH, ANSWER):
        raise SystemExit(f"expected {ANSWER} tokens for each of {BATCH} pictures, got {written.shape}")
    return {
        "sum_of_tokens": int(written.sum()),
        "parameters": int(model.count_params()),
        "peak_bytes": compare.peak_bytes(),
    }


def cached(measure: compare.Measurement, xla: bool = True) -> dict:
    from mmcourse.generator.decoding import greedy

    return compiled(measure, greedy, xla)


def uncached(measure: compare.Measurement) -> dict:
    """All tokens are read again for each."""
    from keras import ops

    def choose(model, inputs):
        def step(place, answer):
            logits = model({**inputs, "answer": answer})
            token = ops.cast(ops.argmax(ops.take(logits, place, axis=1), axis=-1), "int32")
            return place + 1, ops.slice_update(answer, (0, place), token[:, None])

        start = (
            ops.convert_to_tensor(0, dtype="int32"),
            ops.zeros((ops.shape(inputs["prompt"])[0], ANSWER), "int32"),
        )
        return ops.while_loop(lambda place, answer: place < ANSWER, step, start)[1]

    return compiled(measure, choose, True)


def predicting(measure: compare.Measurement) -> dict:
    """The whole model is asked by ``predict`` for each token."""
    model, inputs = model_and_inputs()
    model.compile()

    def write():
        answer = np.zeros((BATCH, ANSWER), dtype=np.int32)
        for place in range(ANSWER):
            logits = model.predict({**inputs, "answer": answer}, verbose=0)
            answer[:, place] = logits[:, place].argmax(axis=-1)
        return answer

    written = write()
    with measure(BATCH):
        write()
    return described(model, written)


def transformers(measure: compare.Measurement) -> dict:
    """Hugging Face's vision encoder and decoder: ViT with as many tokens, and GPT-2 that looks at them."""
    try:
        import torch
        from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig
    except ImportError as error:
        raise SystemExit("this way needs them: python -m pip install torch transformers") from error

    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    sight = ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=HEADS,
        intermediate_size=HIDDEN,
        image_size=SIDE,
        patch_size=16,
    )
    words = GPT2Config(
        vocab_size=WORDS,
        n_positions=PROMPT + ANSWER,
        n_embd=WIDTH,
        n_layer=DEPTH,
        n_head=HEADS,
        n_inner=HIDDEN,
        bos_token_id=1,
        eos_token_id=None,
        add_cross_attention=True,
        is_decoder=True,
    )
    model = VisionEncoderDecoderModel(
        VisionEncoderDecoderConfig.from_encoder_decoder_configs(sight, words)
    ).eval()
    inputs = arrays(BATCH)
    pixels = torch.from_numpy(inputs["image"]).permute(0, 3, 1, 2).float() / 127.5 - 1
    prompt = torch.from_numpy(inputs["prompt"]).long()

    def write():
        with torch.inference_mode():
            return model.generate(
                pixels,
                decoder_input_ids=prompt,
                max_new_tokens=ANSWER,
                min_new_tokens=ANSWER,
                do_sample=False,
                use_cache=True,
                pad_token_id=0,
            )

    written = write()[:, -ANSWER:].numpy()
    with measure(BATCH * TIMES):
        for _ in range(TIMES):
            write()
    parameters = sum(weights.numel() for weights in model.parameters())
    return {"sum_of_tokens": int(written.sum()), "parameters": parameters, "peak_bytes": compare.peak_bytes()}


def keras_hub(measure: compare.Measurement) -> dict:
    """KerasHub's PaliGemma at about this size, on what its preprocessor would give."""
    import keras_hub
    from keras import ops

    from mmcourse.learning import training

    training.set_seed(0)
    backbone = keras_hub.models.PaliGemmaBackbone(
        vocabulary_size=WORDS,
        image_size=SIDE,
        num_layers=DEPTH,
        num_query_heads=HEADS,
        num_key_value_heads=HEADS,
        hidden_dim=WIDTH,
        intermediate_dim=2 * HIDDEN,  # of which it splits off a gate
        head_dim=WIDTH // HEADS,
        vit_patch_size=16,
        vit_num_heads=HEADS,
        vit_hidden_dim=WIDTH,
        vit_num_layers=1,
        vit_intermediate_dim=HIDDEN,
    )
    model = keras_hub.models.PaliGemmaCausalLM(preprocessor=None, backbone=backbone)
    model.compile(sampler="greedy", jit_compile=True)
    inputs = arrays(BATCH)
    tokens = np.zeros((BATCH, PROMPT + ANSWER), dtype=np.int32)
    tokens[:, :PROMPT] = inputs["prompt"]
    asked = {
        "images": (inputs["image"] / 127.5 - 1).astype(np.float32),
        "token_ids": tokens,
        "padding_mask": tokens > 0,
        "response_mask": tokens < 0,
    }

    def write():
        return ops.convert_to_numpy(model.generate(asked, stop_token_ids=None)["token_ids"])

    written = write()[:, PROMPT:]
    with measure(BATCH * TIMES):
        for _ in range(TIMES):
            write()
    return described(model, written)


WAYS = {
    "cached": cached,
    "cached, no XLA": lambda measure: cached(measure, False),
    "uncached": uncached,
    "predict": predicting,
    "transformers": transformers,
    "keras-hub": keras_hub,
}

if __name__ == "__main__":
    compare.main(
        WAYS,
        peer="cached",
        unit="pictures",
        packages=("keras", "tensorflow", "torch", "transformers", "keras-hub"),
    )
