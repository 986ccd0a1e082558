"""Read pseudo-labels by image id, from memory maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.labels import encoding, shards
from pipeline.labels.merge import MANIFEST, manifest, require_sound
from pipeline.labels.spec import FORMAT, LabelSpec


class LabelStore:
    """A merged store, opened for random reads; safe to pickle into data-loader workers.

    Opening reads the manifest and the sidecars and holds them against the store's key, so a store
    made of mixed parts is refused at once; `verify` also reads every map.
    Raises `UserError` if the folder is no complete store, or if `teacher_hash` or
    `preprocessing_hash` is given and the labels were made with another.
    """

    def __init__(
        self,
        folder: Path,
        *,
        teacher_hash: str | None = None,
        preprocessing_hash: str | None = None,
    ) -> None:
        self.folder = folder
        stated = _read_manifest(folder)
        _require_hash(stated, "teacher_hash", teacher_hash, folder)
        _require_hash(stated, "preprocessing_hash", preprocessing_hash, folder)
        self.spec = _read_spec(stated, folder)
        self._positions = {name: place for place, name in enumerate(self.spec.ids)}
        self._maps: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.spec.ids)

    def __contains__(self, image: object) -> bool:
        return image in self._positions

    def __getitem__(self, image: str) -> NDArray[np.float32]:
        """Map `(H, W)` float32 of an image: 0–1 for u8 labels, log density for f16 ones; class
        scores as planes `(4, H, W)`.

        Raises `UserError` for an image without a label.
        """
        return encoding.decode(self.stored(image))

    def stored(self, image: str) -> NDArray[Any]:
        """The numbers of a map `(H, W)` as they lie in the file, u8 or f16: a view, read-only.

        Raises `UserError` for an image without a label.
        """
        if image not in self._positions:
            raise UserError(
                f"no label for image {image!r} in {self.folder}: it holds {len(self)} images such "
                f"as {self.spec.ids[0]!r}; label the pool that this image belongs to"
            )
        shard, row = divmod(self._positions[image], self.spec.shard_size)
        if shard not in self._maps:
            # A plain view of the file: `np.memmap` itself takes longer to index than a map to copy.
            self._maps[shard] = np.asarray(shards.open_maps(self.spec, self.folder, shard))
        found: NDArray[Any] = self._maps[shard][row]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Without the memory maps, which pickle would copy whole: a worker opens its own."""
        return self.__dict__ | {"_maps": {}}

    @property
    def ids(self) -> tuple[str, ...]:
        """Labelled images in stored order."""
        return self.spec.ids

    def verify(self) -> None:
        """Read every byte; raise `UserError` naming the files that are not as written."""
        require_sound(self.spec, self.folder)
        if _read_manifest(self.folder) != manifest(self.spec, self.folder):
            raise UserError(
                f"{self.folder / MANIFEST} does not describe the shards beside it; "
                f"{shards.again(self.folder.name)}"
            )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise UserError(
            f"{path} is missing: the labelling did not end, or lost it; {shards.again(folder.name)}"
        )
    try:
        stated = read_json(path)
    except UserError as error:
        raise UserError(f"{path} is not valid JSON; {shards.again(folder.name)}") from error
    if not isinstance(stated, dict) or stated.get("format") != FORMAT:
        raise UserError(
            f"{path} is not a label manifest of format {FORMAT}; {shards.again(folder.name)}"
        )
    return stated


def _require_hash(stated: dict[str, Any], name: str, expected: str | None, folder: Path) -> None:
    if expected is not None and stated.get(name) != expected:
        raise UserError(
            f"stale labels in {folder}: made with {name} {stated.get(name)}, "
            f"but {expected} is in use; {shards.again(folder.name)}"
        )


def _read_spec(stated: dict[str, Any], folder: Path) -> LabelSpec:
    """Join what manifest and sidecars state into the spec, whose key must be the manifest's."""
    mixed = UserError(
        f"labels in {folder} are not one store: {MANIFEST} and the sidecars disagree; "
        f"{shards.again(folder.name)}"
    )
    try:
        sidecars = [_read_sidecar(folder / str(entry["sidecar"])) for entry in stated["shards"]]
        if any(sidecar["key"] != stated["key"] for sidecar in sidecars):
            raise mixed
        ids = tuple(image for sidecar in sidecars for image in sidecar["ids"])
        spec = LabelSpec.from_header(stated, ids)
    except (KeyError, TypeError) as error:
        raise mixed from error
    if spec.key() != stated["key"] or spec.shards != len(sidecars):
        raise mixed
    return spec


def _read_sidecar(path: Path) -> Any:
    try:
        return read_json(path)
    except UserError as error:
        raise UserError(
            f"{path} is missing or no JSON; {shards.again(path.parent.name)}"
        ) from error
