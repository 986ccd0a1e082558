"""Reading ahead changes no byte of a store, names what cannot be read, and leaves nobody behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor

from pipeline.data.dataset import read_image
from pipeline.data.layouts import Record
from pipeline.errors import UserError
from pipeline.labels import image_reader, write_shards
from tests.labels import reading
from tests.labels.labelling import files
from tests.labels.reading import COUNT, H, W, labeller, spec

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    return reading.photographs(tmp_path_factory.mktemp("photographs") / "coco")


@pytest.fixture(scope="module")
def expected(records: dict[str, Record]) -> dict[str, bytes]:
    """Data files by definition: read one by one, asked batch by batch, 255 p rounded half to even.

    Every batch starts anew with its shard: 3, 3, 1 of the first seven ids, and so on.
    """
    ids, predict, found = list(records), labeller(), {}
    for number, first in enumerate(range(0, COUNT, 7)):
        shard, data = ids[first : min(COUNT, first + 7)], b""
        for start in range(0, len(shard), 3):
            batch = [read_image(records[name], H, W) for name in shard[start : start + 3]]
            for values in predict(torch.stack(batch)).numpy():
                data += bytes(round(float(np.float32(255) * v)) for v in values.flat)
        found[f"shard-{number:05d}.u8"] = data
    return found


def maps(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name.endswith(".u8")}


_OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """Children that other tests of this process left, such as a tracker of shared memory."""
    _OTHERS.update(child.pid for child in psutil.Process().children())


def nobody_is_left() -> bool:
    """Whether the test has left no children: at once, as nothing else is to wait for them."""
    return {child.pid for child in psutil.Process().children()} <= _OTHERS


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_store_is_that_of_reading_one_by_one(
    records: dict[str, Record], expected: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    read = image_reader(records, H, W, workers)
    assert write_shards(spec(records), tmp_path, labeller(), read=read) == 4
    assert maps(tmp_path) == expected
    assert nobody_is_left()


def test_only_what_lacks_is_read(
    records: dict[str, Record], expected: dict[str, bytes], tmp_path: Path
) -> None:
    read, seen = image_reader(records, H, W, 1), []

    def predict(images: Tensor) -> Tensor:
        seen.append(len(images))
        return labeller()(images)

    write_shards(spec(records), tmp_path, predict, read=read)
    for name in ("shard-00001.u8", "shard-00003.json"):
        (tmp_path / name).unlink()
    seen.clear()
    assert write_shards(spec(records), tmp_path, predict, read=read) == 2
    assert seen == [3, 3, 1, 2]
    assert maps(tmp_path) == expected


def test_batches_come_in_order_and_are_drawn_a_few_ahead(records: dict[str, Record]) -> None:
    ids, drawn = list(records), []

    def batches() -> Iterator[list[str]]:
        for name in ids:
            drawn.append(name)
            yield [name]

    with contextlib.closing(image_reader(records, H, W, 2)(batches())) as inputs:
        for number, images in enumerate(inputs):
            assert torch.equal(images, read_image(records[ids[number]], H, W)[None])
            assert number < len(drawn) <= number + 6
        assert drawn == ids


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_image_is_named_and_earlier_shards_are_whole(
    tmp_path: Path, expected: dict[str, bytes], workers: int
) -> None:
    records = reading.photographs(tmp_path / "coco")
    damaged = records[list(records)[16]].image  # of the third shard
    damaged.write_bytes(damaged.read_bytes()[:300])
    store = tmp_path / "store"
    read = image_reader(records, H, W, workers)
    with pytest.raises(UserError) as caught:
        write_shards(spec(records), store, labeller(), read=read)
    assert str(caught.value).startswith(f"image {damaged} is damaged")
    assert "\n" not in str(caught.value)
    first = {name: expected[name] for name in ("shard-00000.u8", "shard-00001.u8")}
    assert maps(store) == first
    assert nobody_is_left()


def test_a_map_that_cannot_be_stored_leaves_no_shard_and_no_worker(
    records: dict[str, Record], tmp_path: Path
) -> None:
    """It is found behind the teacher, whose shard must not be written all the same."""
    calls = 0

    def predict(images: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return labeller()(images) + (calls == 4)  # the second shard's first batch

    read = image_reader(records, H, W, 2)
    with pytest.raises(UserError, match=rf"map of '{list(records)[7]}' has values from 1\."):
        write_shards(spec(records), tmp_path, predict, read=read)
    assert files(tmp_path).keys() == {"shard-00000.u8", "shard-00000.json"}
    assert nobody_is_left()


def test_a_reader_that_is_closed_early_leaves_no_worker(records: dict[str, Record]) -> None:
    inputs = image_reader(records, H, W, 2)([name] for name in records)
    next(inputs)
    assert psutil.Process().children()
    inputs.close()
    assert nobody_is_left()


def test_ctrl_c_leaves_whole_shards_and_nobody(
    records: dict[str, Record], expected: dict[str, bytes], tmp_path: Path
) -> None:
    root = next(iter(records.values())).image.parents[1]
    command = [sys.executable, "-m", "tests.labels.reading", str(root), str(tmp_path), "2"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "shard-00000.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode not in (0, None)
    assert said.decode().count("KeyboardInterrupt") == 1, "workers leave Ctrl-C to their parent"
    with pytest.raises(ProcessLookupError):  # communicate() waited for every end of the pipe
        os.killpg(process.pid, 0)
    written = maps(tmp_path)
    assert 0 < len(written) < 4
    assert written.items() <= expected.items()
    read = image_reader(records, H, W, 1)
    assert write_shards(spec(records), tmp_path, labeller(), read=read) == 4 - len(written)
    assert maps(tmp_path) == expected
