"""Everything the bytes of a label store follow from, and its key."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from pipeline.errors import UserError
from pipeline.files import sha256_json
from pipeline.labels import encoding

FORMAT = 1
"""Version of the files' layout; part of the key, so an older store is relabelled, not misread."""


@dataclass(frozen=True)
class LabelSpec:
    """What is labelled, by whom and how. Equal specs give equal bytes on one device type.

    Raises `UserError` for no ids, ids that occur twice, a dtype no store has, or sizes below 1.
    """

    teacher: str
    """Registered name of the teacher, for people."""
    teacher_hash: str
    """Hash of its weights and definition."""
    preprocessing_hash: str
    """Hash of all that happens to an image before the teacher and to its map after it."""
    height: int
    """Rows of a stored map, pixels."""
    width: int
    """Columns of a stored map, pixels."""
    device_type: str
    """`cpu`, `cuda`, …: device types round differently, so labels of two never mix."""
    ids: tuple[str, ...]
    """Images in stored order."""
    dtype: str = "u8"
    """`u8`: map in 0–1 as round(255 p); `f16`: log density; `u32`: class scores."""
    shard_size: int = 512
    """Images per shard; the last one may hold fewer."""
    batch_size: int = 16
    """Images per call of the teacher; batches never straddle two shards."""

    def __post_init__(self) -> None:
        encoding.numpy_dtype(self.dtype)
        for name in ("height", "width", "shard_size", "batch_size"):
            if getattr(self, name) < 1:
                raise UserError(f"labels: {name}={getattr(self, name)} must be 1 or more")
        if not self.ids:
            raise UserError("labels: no image to label; check the pool's folder and split")
        if len(set(self.ids)) != len(self.ids):
            twice = [name for name, number in Counter(self.ids).items() if number > 1]
            raise UserError(
                f"labels: {len(twice)} ids occur more than once, first {twice[0]!r}; "
                "give every image of the pool its own id"
            )

    def key(self) -> str:
        """Hash over every field and the format: shards of another key are never reused."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return sha256_json({"format": FORMAT, **asdict(self)})

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-len(self.ids) // self.shard_size)

    def shard_ids(self, shard: int) -> tuple[str, ...]:
        """Ids of one shard, in stored order."""
        return self.ids[shard * self.shard_size : (shard + 1) * self.shard_size]

    def batches(self, shard: int) -> list[tuple[str, ...]]:
        """Ids of one shard as the teacher is given them."""
        ids = self.shard_ids(shard)
        starts = range(0, len(ids), self.batch_size)
        return [ids[start : start + self.batch_size] for start in starts]

    def data_name(self, shard: int) -> str:
        """File of the maps: raw little-endian `(n, height, width)`."""
        return f"shard-{shard:05d}.{self.dtype}"

    def sidecar_name(self, shard: int) -> str:
        """File that says what the maps are."""
        return f"shard-{shard:05d}.json"

    def header(self) -> dict[str, Any]:
        """All fields but the ids, with the format, as JSON."""
        rest = {field.name: getattr(self, field.name) for field in fields(self)}
        del rest["ids"]
        return {"format": FORMAT, **rest}

    @classmethod
    def from_header(cls, header: dict[str, Any], ids: tuple[str, ...]) -> LabelSpec:
        """Inverse of `header`. Raises `KeyError` or `TypeError` if a field is missing or odd."""
        names = [field.name for field in fields(cls) if field.name != "ids"]
        return cls(ids=ids, **{name: header[name] for name in names})
