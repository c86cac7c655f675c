"""The pipeline of the peers' servers: our model, readers and image coding, one after the other in one process.

The order of the attempts is that of the service. With the draft, all servers do the same work for the same upload;
without it, a peer has only the generator.
"""

import base64

import numpy as np

from benchmark.paths import ROOT
from model_store.contract import luma, merge_colour, pad_to_multiple, quantise, to_tensor
from model_store.versions import version_folder
from service.decoding.cascade import ATTEMPTS, LARGE
from service.decoding.jobs import Readers
from service.generator.draft import draft_of
from service.generator.engine import OnnxEngine
from service.imaging import Picture, decode, encode
from service.pipeline.decoder import calibration_of, wechat_files
from service.settings import Settings


class Pipeline:
    """Not thread-safe."""

    def __init__(self, *, threads: int, drafts: bool) -> None:
        """
        Args:
            threads: CPU threads of a forward pass; 0 is ONNX Runtime's default, all cores.
            drafts: whether it reads the generator's draft first, as the service does.
        """
        store = ROOT / "model_store"
        settings = Settings(model_store=store)
        folder = version_folder(store, settings.model, 0)
        self._engine = OnnxEngine(folder, device="cpu", threads=threads, tile=384)
        if drafts:
            self._engine.draft = draft_of(self._engine, folder, drafts="on", threads=threads, tile=384)
        self._readers = Readers(wechat_files(store), calibration_of(settings))

    def read(self, data: bytes) -> dict[str, object]:
        """The symbols of an upload."""
        plane = luma(decode(data, max_pixels=16_000_000).pixels)
        attempts = sorted(ATTEMPTS, key=lambda attempt: plane.size > LARGE and attempt.picture != "upload")
        pictures: dict[str, np.ndarray] = {"upload": plane}
        for attempt in attempts:
            if attempt.picture == "draft":
                if self._engine.draft is None:
                    continue
                pictures["draft"], _ = self._enlarged(plane, self._engine.draft)
            elif attempt.picture not in pictures:
                pictures["sr"], pictures["logits"] = self._enlarged(plane, self._engine)
            found = attempt.job(self._readers, pictures[attempt.picture], attempt.name)
            if found:
                payloads = [base64.b64encode(reading.payload).decode() for reading in found]
                return {"symbols": [{"payload_base64": payload} for payload in payloads]}
        return {"symbols": []}

    def upscale(self, data: bytes) -> bytes:
        """The enlarged upload as PNG."""
        picture = decode(data, max_pixels=1_048_576)
        sr, _ = self._enlarged(luma(picture.pixels), self._engine)
        pixels = sr if picture.pixels.ndim == 2 else merge_colour(picture.pixels, sr)
        return encode(Picture(pixels, None), "png", jpeg_quality=92, webp_quality=90)

    @staticmethod
    def _enlarged(plane: np.ndarray, engine: OnnxEngine) -> tuple[np.ndarray, np.ndarray]:
        multiple = engine.manifest.contract.multiple
        made = engine.run(to_tensor(pad_to_multiple(plane, multiple)), logits=True)
        assert made.logits is not None
        height, width = plane.shape[0] * 4, plane.shape[1] * 4
        sr = quantise(made.sr)[0, 0, :height, :width]
        return sr, made.logits[0, 0, :height, :width].astype(np.float16)
