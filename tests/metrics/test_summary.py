from __future__ import annotations

import json
import math

import pytest
import torch

from pipeline.metrics.summary import MetricMean, concatenate, per_image_rows, summarise

NAN = float("nan")


def test_undefined_scores_are_left_out_and_counted() -> None:
    means = summarise({"NSS": torch.tensor([1.0, NAN, 3.0]), "CC": torch.tensor([0.5, 0.5, 0.5])})
    assert means == {"NSS": MetricMean(2.0, 2, 1), "CC": MetricMean(0.5, 3, 0)}


def test_a_metric_no_image_defines_is_null_in_json() -> None:
    mean = MetricMean.from_values(torch.tensor([NAN, NAN]))
    assert math.isnan(mean.mean)
    assert json.dumps(mean.row(), allow_nan=False) == '{"mean": null, "images": 0, "undefined": 2}'


def test_batches_join_in_order() -> None:
    joined = concatenate([{"CC": torch.tensor([1.0, 2.0])}, {"CC": torch.tensor([3.0])}])
    assert joined["CC"].tolist() == [1, 2, 3]
    assert concatenate([]) == {}


@pytest.mark.parametrize("second", [{"NSS": torch.ones(1)}, {}])
def test_batches_of_different_metrics_are_refused(second: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="batch 1 has"):
        concatenate([{"CC": torch.ones(1)}, second])


def test_rows_name_images_and_hide_nan() -> None:
    rows = per_image_rows(["a", "b"], {"NSS": torch.tensor([NAN, 2.0])})
    assert rows == [{"id": "a", "NSS": None}, {"id": "b", "NSS": 2.0}]
    with pytest.raises(ValueError, match="2 scores of NSS for 1 images"):
        per_image_rows(["a"], {"NSS": torch.ones(2)})
