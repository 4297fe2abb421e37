"""llama_cpp_peer.py: llama.cpp, through llama-cpp-python, asked for what we compare with: greedy tokens, visual tokens.

Read by llama_cpp_check. Needs llama-cpp-python (it compiles llama.cpp when installed) and numpy.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import mtmd_cpp


@llama_cpp.llama_log_callback
def _quiet(level, text, user_data) -> None:
    """Drops llama.cpp's log: a hundred lines for every file that is loaded."""


mtmd_cpp.mtmd_log_set(_quiet, None)
mtmd_cpp.mtmd_helper_log_set(_quiet, None)


class PeerError(RuntimeError):
    """llama.cpp did not do what it was asked; the message says which call."""


class Peer:
    """A language model loaded in llama.cpp, on one thread so that its sums have one order."""

    def __init__(self, model: Path | str, context: int = 1024) -> None:
        self.llama = llama_cpp.Llama(
            str(model), n_ctx=context, n_batch=context, n_threads=1, n_threads_batch=1, verbose=False
        )

    def tokenize(self, text: str) -> list[int]:
        """The ids of `text` with BOS in front; special tokens in the text stay plain text."""
        return self.llama.tokenize(text.encode(), add_bos=True, special=False)

    def greedy(self, ids: Sequence[int], count: int, stops: frozenset[int] = frozenset()) -> list[int]:
        """The `count` most likely tokens one after the other, up to and without a stop token."""
        self.llama.reset()
        self.llama.eval(list(ids))
        tokens: list[int] = []
        while len(tokens) < count:
            token = int(self.last_logits().argmax())
            if token in stops:
                break
            tokens.append(token)
            self.llama.eval([token])
        return tokens

    def last_logits(self) -> np.ndarray:
        """The logits after the last evaluated token: [vocabulary]."""
        row = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return np.ctypeslib.as_array(row, shape=(self.llama.n_vocab(),)).copy()

    def visual_tokens(self, vision: Path | str, pixels: np.ndarray) -> np.ndarray:
        """The rows that llama.cpp's vision graph makes of a picture: [patches, language hidden].

        `pixels` are bytes [height, width, 3]. At the tower's own size no preprocessing is left to differ in.
        """
        parameters = mtmd_cpp.mtmd_context_params_default()
        parameters.use_gpu, parameters.n_threads, parameters.print_timings = False, 1, False
        context = mtmd_cpp.mtmd_init_from_file(str(vision).encode(), self.llama.model, parameters)
        if context is None:
            raise PeerError(f"llama.cpp does not load the vision file {vision}")
        try:
            return self._encode(context, np.ascontiguousarray(pixels, dtype=np.uint8))
        finally:
            mtmd_cpp.mtmd_free(context)

    def _encode(self, context, pixels: np.ndarray) -> np.ndarray:
        height, width, _ = pixels.shape
        data = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        bitmap, chunks = mtmd_cpp.mtmd_bitmap_init(width, height, data), mtmd_cpp.mtmd_input_chunks_init()
        try:
            marker = mtmd_cpp.mtmd_default_marker()
            text = mtmd_cpp.mtmd_input_text(text=marker, text_len=len(marker), add_special=False, parse_special=True)
            bitmaps = (mtmd_cpp.mtmd_bitmap_p_ctypes * 1)(bitmap)
            if mtmd_cpp.mtmd_tokenize(context, chunks, ctypes.byref(text), bitmaps, 1) != 0:
                raise PeerError("llama.cpp does not take the picture (mtmd_tokenize)")
            for number in range(mtmd_cpp.mtmd_input_chunks_size(chunks)):
                chunk = mtmd_cpp.mtmd_input_chunks_get(chunks, number)
                if mtmd_cpp.mtmd_input_chunk_get_type(chunk) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_IMAGE:
                    return self._encode_chunk(context, chunk)
            raise PeerError("llama.cpp makes no image chunk of the picture")
        finally:
            mtmd_cpp.mtmd_input_chunks_free(chunks)
            mtmd_cpp.mtmd_bitmap_free(bitmap)

    def _encode_chunk(self, context, chunk) -> np.ndarray:
        if mtmd_cpp.mtmd_encode_chunk(context, chunk) != 0:
            raise PeerError("llama.cpp does not encode the picture (mtmd_encode_chunk)")
        shape = mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk), self.llama.n_embd()
        return np.ctypeslib.as_array(mtmd_cpp.mtmd_get_output_embd(context), shape=shape).copy()
