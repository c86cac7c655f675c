"""Uploads: symbols, pictures in every form that is accepted, and files that are broken on purpose."""

from benchmark.serving.images import (
    Pixels,
    animation,
    chunk,
    encode,
    pattern,
    png_header,
    symbol,
    with_broken_crc,
)

__all__ = ["Pixels", "animation", "chunk", "encode", "pattern", "png_header", "symbol", "with_broken_crc"]
