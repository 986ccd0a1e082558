"""A bundle's manifest from anywhere: read as it is, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobile.bundle import verify
from mobile.manifest import NAME, SCHEMA, load, read_manifest
from pipeline.errors import UserError
from pipeline.files import sha256_bytes

FILES = {"artefacts/made_up/model.bin": b"a model", "golden/image0.png": b"a picture"}
MANIFEST: dict[str, Any] = {
    "schema": SCHEMA,
    "spec": {"name": "made_up", "task": "saliency"},
    "input": {"height": 2, "width": 2, "resize": {"name": "triangle"}},
    "output": {"meaning": "logits"},
    "artefacts": {"made_up": {"path": "artefacts/made_up/model.bin", "latency": []}},
    "golden": [{"name": "image0", "input": "golden/image0.png", "outputs": {}}],
    "lineage": {},
    "versions": {"torch": "2.0"},
    "files": {n: {"sha256": sha256_bytes(d), "bytes": len(d)} for n, d in FILES.items()},
}
HASHES = {name: sha256_bytes(data) for name, data in FILES.items()}
TEXT = json.dumps(MANIFEST).encode()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / NAME).write_bytes(TEXT)
    return folder


def attempt(bundle: Path, data: bytes) -> dict[str, Any] | None:
    """The manifest as read, or None for a refusal in one line; anything else fails the test."""
    (bundle / NAME).write_bytes(data)
    try:
        found = read_manifest(bundle)
    except UserError as error:
        if bundle.name not in str(error) or "\n" in str(error):
            raise
        assert verify(bundle) != []
        return None
    assert isinstance(verify(bundle), list)
    return found


def test_the_example_is_sound(bundle: Path) -> None:
    assert attempt(bundle, TEXT) == MANIFEST
    assert verify(bundle) == []


@settings(max_examples=300)
@given(place=st.integers(0, len(TEXT) - 1), value=st.integers(1, 255))
def test_a_changed_byte_is_found_or_harmless(bundle: Path, place: int, value: int) -> None:
    data = bytearray(TEXT)
    data[place] ^= value
    found = attempt(bundle, bytes(data))
    if found is not None:
        assert {n: e["sha256"] for n, e in found["files"].items()} == HASHES


@settings(max_examples=60)
@given(place=st.integers(0, len(TEXT) - 1))
def test_a_manifest_cut_short_is_found(bundle: Path, place: int) -> None:
    assert attempt(bundle, TEXT[:place]) is None


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(bundle: Path, data: bytes) -> None:
    assert attempt(bundle, data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=300)
@given(part=st.sampled_from(sorted(MANIFEST)), value=JSON)
@example(part="artefacts", value={"a\nb": None})
@example(part="files", value={"a\nb": None})
def test_any_value_in_the_place_of_a_part_is_read_or_refused(
    bundle: Path, part: str, value: Any
) -> None:
    attempt(bundle, json.dumps(MANIFEST | {part: value}).encode())


@pytest.mark.parametrize("name", ["", ".", "a\0b", "a\nb", "x" * 5000, "/etc/passwd", "a/../../b"])
def test_names_that_lead_elsewhere_are_refused(bundle: Path, name: str) -> None:
    files = MANIFEST["files"] | {name: {"sha256": "0" * 64, "bytes": 1}}
    assert attempt(bundle, json.dumps(MANIFEST | {"files": files}).encode()) is None


def test_what_is_no_bundle_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a bundle: it has no manifest\.json"):
        load(tmp_path)
    (tmp_path / NAME).write_bytes(b"[" * 100_000)
    with pytest.raises(UserError, match=r"manifest\.json is not valid JSON"):
        load(tmp_path)
