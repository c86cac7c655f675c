"""The name by which deployments know `service.ray.serve`: `serve run service.ray_serve:build`."""

from service.ray.serve import build

__all__ = ["build"]
