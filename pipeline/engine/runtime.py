"""How a phase is computed: where, in which precision, with whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pipeline.config.schema import Machine
from pipeline.engine import device as devices
from pipeline.engine.distributed import ALONE, Group
from pipeline.errors import UserError


@dataclass(frozen=True)
class Runtime:
    """What `machine` comes to in this process."""

    device: torch.device
    precision: str = "fp32"
    compile_objective: bool = False
    sync_batchnorm: bool = False
    group: Group = ALONE

    def prepared(self, model: nn.Module) -> nn.Module:
        """The model with batch norms that see all processes' images, if that is asked for.

        Its parameters stay the same objects. Raises `UserError` on a CPU, where torch has none.
        """
        if not self.sync_batchnorm or self.group.world == 1:
            return model
        if self.device.type != "cuda":
            raise UserError("machine.sync_batchnorm needs CUDA; set it to false")
        convert = nn.SyncBatchNorm.convert_sync_batchnorm
        synchronised: nn.Module = convert(model)  # type: ignore[no-untyped-call]
        return synchronised


def runtime(machine: Machine, device: torch.device, group: Group = ALONE) -> Runtime:
    """The runtime that `machine` asks for."""
    return Runtime(device, machine.precision, machine.compile, machine.sync_batchnorm, group)


def rounding(machine: Machine) -> list[Any]:
    """What of `machine` decides the numbers of a training that is gone on with.

    The number of processes does, too, but is kept in the training's state, so that going on with
    another one is refused and not silently begun anew.
    """
    kind = devices.choose(machine.device).type
    return [kind, machine.precision, machine.compile, machine.sync_batchnorm]
