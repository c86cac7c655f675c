"""The machine and the library versions with which figures were measured."""

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from service.machine import usable_cpus

_PACKAGES = (
    "fastapi",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-contrib-python-headless",
    "pillow",
    "pyzbar",
    "segno",
    "starlette",
    "uvicorn",
    "zxing-cpp",
)
"""Libraries that results depend on."""
_INSTRUCTIONS = {
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "amx_int8": "AMX",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}
"""Instructions that matter for the speed of the generator and its draft, by their names in /proc/cpuinfo."""


def machine() -> dict[str, Any]:
    """Processor, its instructions, CPUs, memory in GiB, system, Python and the versions of libraries installed."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "instructions": sorted({name for flag, name in _INSTRUCTIONS.items() if flag in flags}),
        "cpus": usable_cpus(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system() + " " + platform.release().split("-")[0],
        "python": platform.python_version(),
        "versions": _versions(),
    }


def described(where: Mapping[str, Any]) -> str:
    """The result of `machine` in one line. Old results lack some of it."""
    able = where.get("instructions")
    hardware = [where["processor"] + (f" ({', '.join(able)})" if able else "")]
    if "cpus" in where:
        hardware.append(f"{where['cpus']} CPUs")
    if "memory_gib" in where:
        hardware.append(f"{where['memory_gib']} GiB")
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    return ", ".join([*hardware, where["system"], f"Python {where['python']}"]) + f"; {versions}"


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
