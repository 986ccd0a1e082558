"""pysaliency is the oracle: our batched metrics equal its per-image ones to rounding."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from pipeline.metrics import saliency
from tests.metrics.maps import points_of, real_like

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which is deprecated
    from pysaliency import metrics as oracle
    from pysaliency.roc import general_roc

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*trapz:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning"),
]
TOLERANCE = 1e-9
EXACT = 1e-12


def _batch(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if kind == "random":
        generator = np.random.default_rng(7)
        shape = (6, 40, 50)
        counts = generator.poisson(0.03, shape)
        return generator.random(shape), counts, generator.random(shape)
    preds, counts, densities = (
        np.stack(maps) for maps in zip(*map(real_like, range(6)), strict=True)
    )
    if kind == "quantised":  # heavy ties, as in maps read from 8-bit images
        preds = np.round(preds / preds.max(axis=(1, 2), keepdims=True) * 20)
    if kind == "logits":  # negative values, as in a student's raw output
        preds = 4 * (preds - preds.mean())
    return preds, counts, densities


KINDS = pytest.mark.parametrize("kind", ["random", "real-like", "quantised", "logits"])


def _auc_judd(pred: np.ndarray, counts: np.ndarray) -> float:
    xs, ys = points_of(counts)
    return float(general_roc(pred[ys, xs], pred[counts == 0], judd=1)[0])


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_density_metrics(kind: str, dtype: type) -> None:
    preds, _, densities = (maps.astype(dtype) for maps in _batch(kind))
    pairs = [(p.astype(float), d.astype(float)) for p, d in zip(preds, densities, strict=True)]
    ours = saliency.saliency_metrics(torch.from_numpy(preds), None, torch.from_numpy(densities))
    for name, reference in [("CC", oracle.CC), ("KLDiv", oracle.MIT_KLDiv), ("SIM", oracle.SIM)]:
        expected = [reference(pred.copy(), density.copy()) for pred, density in pairs]
        np.testing.assert_allclose(ours[name].numpy(), expected, atol=TOLERANCE, rtol=0)


@KINDS
@pytest.mark.parametrize("fixations", ["repeats", "unique"])
def test_fixation_metrics(kind: str, fixations: str) -> None:
    preds, counts, _ = _batch(kind)
    assert (counts > 1).any(), "repeats must occur, or the two variants cannot be told apart"
    ours = saliency.saliency_metrics(
        torch.from_numpy(preds), torch.from_numpy(counts), fixations=fixations
    )
    if fixations == "unique":
        counts = np.minimum(counts, 1)
    points = [points_of(count) for count in counts]
    nss = [oracle.NSS(pred, *point).mean() for pred, point in zip(preds, points, strict=True)]
    np.testing.assert_allclose(ours["NSS"].numpy(), nss, atol=TOLERANCE, rtol=0)
    auc = [_auc_judd(pred, count) for pred, count in zip(preds, counts, strict=True)]
    np.testing.assert_allclose(ours["AUC-Judd"].numpy(), auc, atol=EXACT, rtol=0)


def test_constant_prediction_scores_as_in_pysaliency() -> None:
    _, counts, density = real_like(0)
    pred = np.full_like(density, 0.25)  # exact in binary, so pysaliency's test for std 0 holds
    ours = saliency.saliency_metrics(
        *(torch.from_numpy(maps)[None] for maps in (pred, counts, density))
    )
    xs, ys = points_of(counts)
    assert ours["NSS"].item() == oracle.NSS(pred, xs, ys).mean() == 0
    assert ours["CC"].item() == oracle.CC(pred, density) == 0
    assert ours["AUC-Judd"].item() == _auc_judd(pred, counts) == 0.5
    assert ours["KLDiv"].item() == pytest.approx(oracle.MIT_KLDiv(pred, density), abs=TOLERANCE)
    assert ours["SIM"].item() == pytest.approx(oracle.SIM(pred, density), abs=TOLERANCE)
