"""Write what machine this is; its fingerprint decides whether latency must be measured again."""

from __future__ import annotations

import dataclasses

from mobile.host import this_host
from pipeline.config import Config
from pipeline.files import write_json
from pipeline.paths import HOST
from pipeline.stages.entry import stage


@stage
def main(_config: Config) -> None:
    """Write outputs/host.json."""
    host = this_host()
    write_json(HOST, dataclasses.asdict(host) | {"fingerprint": host.fingerprint()})


if __name__ == "__main__":
    main()
