"""What `serve deploy` would be told."""

import pytest
import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from service.ray.serve import Arguments, build
from service.ray.worker_settings import sized
from service.settings import Settings
from tests.builders.process import ROOT

pytestmark = pytest.mark.processes


def test_the_example_is_understood_by_serve_and_by_us() -> None:
    config = ServeDeploySchema.model_validate(yaml.safe_load((ROOT / "docs/ray-serve.yaml").read_text()))
    (application,) = config.applications
    assert application.import_path == "service.ray_serve:build"
    arguments = Arguments.model_validate(application.args)
    assert Settings(**arguments.settings).device == "cuda"
    assert build(arguments)._bound_deployment.ray_actor_options == {"num_cpus": 8, "num_gpus": 0.25}


def test_a_misspelt_argument_or_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="replicas"):
        Arguments.model_validate({"replicas": 3})
    with pytest.raises(ValidationError, match="not settings: modell"):
        Arguments.model_validate({"settings": {"modell": "x"}})


def test_a_replica_has_its_share_of_the_machine_and_what_was_set_stays() -> None:
    own = sized(Settings(decoders=3, device="auto"), cpus=4, gpu=False)
    assert (own.lanes, own.decoders, own.concurrency, own.device) == (4, 3, 5, "cpu")
    on_gpu = sized(Settings(device="auto"), cpus=4, gpu=True)
    assert (on_gpu.lanes, on_gpu.decoders, on_gpu.concurrency, on_gpu.device) == (4, 4, 0, "auto")
