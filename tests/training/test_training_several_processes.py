"""Two processes are one: gradients, batch statistics and final weights, with DDP and FSDP, over gloo."""

import os
import runpy
import socket
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from holotype.errors import RecipeError
from holotype.training.devices import fabric_of
from holotype.training.gathering import Share

SCRIPT = Path(__file__).with_name("joint_step.py")
Cases = dict[str, dict[str, torch.Tensor]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def together(words: list[str], *, processes: int = 2) -> None:
    """Runs a script as torchrun would, on one machine."""
    place = {
        "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "GROUP_RANK": "0",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "TORCHELASTIC_RUN_ID": "test",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, *words],
            env={**os.environ, **place, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    told = [one.communicate(timeout=300)[1] for one in started]
    assert [one.returncode for one in started] == [0] * processes, "\n".join(told)


@pytest.fixture(scope="module")
def alone(tiny_collection: Path, tiny_split: Path, tiny_recipe: Path) -> Cases:
    script = runpy.run_path(str(SCRIPT))
    found: Cases = script["all_cases"](
        fabric_of("cpu", 1), tiny_collection, tiny_split, tiny_recipe
    )
    return found


@pytest.fixture(scope="module", params=["ddp", "fsdp"])
def joint(
    request: pytest.FixtureRequest,
    tiny_collection: Path,
    tiny_split: Path,
    tiny_recipe: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Cases:
    out = tmp_path_factory.mktemp(request.param) / "cases.safetensors"
    paths = [SCRIPT, tiny_collection, tiny_split, tiny_recipe, out]
    together([*map(str, paths), request.param])
    found: Cases = {}
    for name, value in load_file(out).items():
        case, _, rest = name.partition("|")
        found.setdefault(case, {})[rest] = value
    return found


def assert_near(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        largest = float(value.abs().max())
        # 3e-6: weights whose gradient is rounding alone, such as biases before a normalisation
        assert torch.allclose(found[name], value, rtol=1e-3, atol=1e-4 * largest + 3e-6), (
            f"{name}: {float((found[name] - value).abs().max()):.2e} of {largest:.2e}"
        )


def gradients_of(case: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value for name, value in case.items() if name.startswith("gradient/")}


@pytest.mark.parametrize("case", ["whole", "sparse", "chunked"])
def test_two_processes_have_the_gradients_of_one(joint: Cases, alone: Cases, case: str) -> None:
    gradients = gradients_of(alone[case])
    assert {"gradient/head.weight", "gradient/log_scale", "gradient/log_head_scale"} <= set(
        gradients
    )
    towers = {name.split(".")[1] for name in gradients if "towers" in name}
    assert towers == {"image", "barcode", "caption"}
    assert max(float(value.abs().max()) for value in gradients.values()) > 1e-3
    assert_near(joint[case], alone[case])


@pytest.mark.parametrize("case", ["masked", "masked-chunked", "masked-sparse"])
def test_two_processes_tell_hidden_tokens_as_one_does(
    joint: Cases, alone: Cases, case: str
) -> None:
    gradients = gradients_of(alone[case])
    assert float(alone[case]["loss/masked"]) > 1.0
    assert float(gradients["gradient/token_head.weight"].abs().max()) > 1e-3
    assert any("towers.barcode" in name for name in gradients)
    assert_near(joint[case], alone[case])


def test_chunks_have_the_gradients_of_the_whole_batch(joint: Cases, alone: Cases) -> None:
    assert_near(gradients_of(alone["chunked"]), gradients_of(alone["frozen"]))
    assert_near(gradients_of(joint["chunked"]), gradients_of(alone["frozen"]))


def test_two_processes_end_with_the_weights_of_one(joint: Cases, alone: Cases) -> None:
    for name, moved in alone["fitted"].items():
        # A bias before a normalisation has no gradient but rounding, which Adam blows up to full steps.
        if "size_bias" in name:
            continue
        far = torch.linalg.vector_norm(joint["fitted"][name] - moved)
        assert far <= 0.05 * torch.linalg.vector_norm(moved) + 1e-6, name
    assert float(alone["fitted"]["head.weight"].abs().max()) > 1e-3


def test_shares_are_even_and_cover_all() -> None:
    for count in range(9):
        parts = [list(range(count))[Share(rank, 3).of(count)] for rank in range(3)]
        assert list(chain(*parts)) == list(range(count))
        assert tuple(map(len, parts)) == Share(0, 3).counts(count)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("devices", "strategy", "told"),
    [(1, "horovod", "auto, ddp, fsdp"), ("several", "ddp", "several")],
)
def test_devices_that_are_not_there(devices: int | str, strategy: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        fabric_of("cpu", devices, strategy=strategy)
