"""Generate the sample data: scenes in the layouts of SALICON and COCO, pictures of one thing."""

from __future__ import annotations

from pipeline.config import Config
from pipeline.data.sample import generate
from pipeline.engine.progress import Meter
from pipeline.paths import SAMPLE
from pipeline.stages.entry import stage


@stage
def main(config: Config) -> None:
    """Write outputs/sample."""
    size = config.sample
    total = size.train + 2 * size.val + size.pool
    with Meter("sample", total, "scenes") as meter:
        generate(SAMPLE, size.seed, train=size.train, val=size.val, pool=size.pool, progress=meter)
    print(f"{size.train} training, {size.val} validation and {size.pool} pool scenes in {SAMPLE}")


if __name__ == "__main__":
    main()
