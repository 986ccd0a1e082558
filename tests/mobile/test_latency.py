"""Latency is measured in a process of its own and tells everything needed to judge it."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import students
from mobile.backend import Array
from mobile.host import Host, this_host
from mobile.latency import _environment, measure, measure_eager
from mobile.latency_row import compare_rows, parse
from mobile.timing import Plan
from pipeline.errors import UserError
from tests.mobile.conftest import Export

QUICK = Plan(warmups=1, repeats=2, iterations=5)


def test_a_row_of_a_file_is_whole(exports: dict[str, Export], latency_input) -> None:
    made = exports["litert_int8"]
    row = measure(made.file, made.report, latency_input, threads=1, plan=QUICK)
    assert parse(row.row(), "here") == row
    assert row.artefact_sha256 == made.report.sha256
    assert (row.recipe, row.student, row.threads) == ("litert_int8", "tiny", 1)
    assert row.affinity is None or len(row.affinity) == 1
    assert (row.nodes_delegated, row.partitions) == (made.report.delegation.total, 1)
    assert (row.repeats, row.iterations, row.time_bounded) == (2, 5, False)
    assert row.source == "host-proxy"
    assert row.input_shape == [1, 3, 32, 64]
    assert row.host == this_host().fingerprint()
    if row.peak_memory_bytes is not None and row.baseline_memory_bytes is not None:
        assert row.peak_memory_bytes >= row.baseline_memory_bytes > 0


def test_a_row_of_an_executorch_file_names_its_runtime(
    exports: dict[str, Export], latency_input
) -> None:
    made = exports["executorch_fp32"]
    row = measure(made.file, made.report, latency_input, threads=1, plan=QUICK)
    assert row.runtime == "executorch"
    assert row.delegate_obtained == "XNNPACK"


def test_torch_eager_is_measured_alike(tmp_path) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "student.safetensors"
    save_file(students.build("fastsal_c").state_dict(), weights)
    image = tmp_path / "image.npy"
    np.save(image, np.full((1, 3, 64, 64), 100, np.float32))
    row = measure_eager(weights, "fastsal_c", image, 1, QUICK, {"form": "taps"})
    assert (row.recipe, row.runtime, row.student) == ("torch_eager", "torch", "fastsal_c")
    assert row.nodes_total is None
    assert compare_rows(row, row).ratio == 1


def test_a_file_of_another_export_is_refused(exports: dict[str, Export], latency_input) -> None:
    report = exports["litert_fp32"].report
    with pytest.raises(UserError, match="not the file of its export report"):
        measure(exports["litert_int8"].file, report, latency_input, threads=1)


def test_a_wrong_input_file_is_refused(exports: dict[str, Export], tmp_path) -> None:
    made = exports["litert_fp32"]
    path = tmp_path / "image.npy"
    path.write_bytes(b"no array")
    with pytest.raises(UserError, match="no latency input"):
        measure(made.file, made.report, path, threads=1)
    np.save(path, np.zeros((1, 3, 8, 8)))
    with pytest.raises(UserError, match="holds float64"):
        measure(made.file, made.report, path, threads=1)


def test_what_the_measuring_process_says_is_passed_on(
    exports: dict[str, Export], images: list[Array], tmp_path
) -> None:
    made = exports["litert_fp32"]
    path = tmp_path / "image.npy"
    np.save(path, images[0][..., :32])
    with pytest.raises(UserError, match=r"failed \(status 2\).*takes float32 RGB"):
        measure(made.file, made.report, path, threads=1)
    np.save(path, images[0])
    many = (os.cpu_count() or 1) + 1
    if hasattr(os, "sched_setaffinity"):
        with pytest.raises(UserError, match="processors allowed"):
            measure(made.file, made.report, path, threads=many)


def test_the_fingerprint_follows_what_changes_milliseconds() -> None:
    host = Host("cpu", "x86_64", 2, "Linux 6", "unreadable", {"torch": "2.14.1"})
    assert host.fingerprint() == dataclasses.replace(host).fingerprint()
    for change in ({"cpu": "other"}, {"cores": 4}, {"versions": {"torch": "2.15"}}):
        assert dataclasses.replace(host, **change).fingerprint() != host.fingerprint()


def test_the_host_names_neither_machine_nor_user() -> None:
    import getpass
    import platform

    told = str(this_host())
    node = platform.node()
    assert not node or node not in told
    assert getpass.getuser() not in told.split()


def test_threads_wait_as_they_do_in_an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "1000")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    environment = _environment(2)
    assert environment.keys().isdisjoint({"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"})
    assert environment["OMP_NUM_THREADS"] == "2"
