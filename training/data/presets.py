"""Scenes and degradations with a single effect, to measure it alone."""

from training.data.config import DegradationConfig, SceneConfig


def upright_scene() -> SceneConfig:
    """Flat, upright, clean symbols: every other effect of the scene is off."""
    return SceneConfig.model_validate(_nothing(SceneConfig) | {"upright": 1})


def jpeg_only(quality: float) -> DegradationConfig:
    """One compression of this quality, with its 8x8 grid at the corner of the crop, and nothing else."""
    only = {"jpeg": 1, "jpeg_quality": (quality, quality), "shifted_jpeg_grid": 0}
    return DegradationConfig.model_validate(_nothing(DegradationConfig) | only)


def _nothing(section: type[SceneConfig] | type[DegradationConfig]) -> dict[str, object]:
    """Every probability of a section set to zero."""
    return {name: 0 for name, field in section.model_fields.items() if field.annotation is float}
