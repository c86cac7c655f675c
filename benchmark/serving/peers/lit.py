"""LitServe around the same pipeline: `python -m benchmark.serving.peers.lit PORT WORKERS THREADS DRAFTS`."""

import sys

import litserve
from starlette.responses import Response

from benchmark.serving.peers.pipeline import Pipeline

PORT, WORKERS, THREADS, DRAFTS = (int(argument) for argument in sys.argv[1:5])


class _Api(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002 - the framework's signature
        self.pipeline = Pipeline(threads=THREADS, drafts=bool(DRAFTS))

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return request["file"].file.read()


class Decode(_Api):
    def predict(self, data):  # type: ignore[no-untyped-def]
        return self.pipeline.read(data)


class Upscale(_Api):
    def predict(self, data):  # type: ignore[no-untyped-def]
        return self.pipeline.upscale(data)

    def encode_response(self, output):  # type: ignore[no-untyped-def]
        return Response(output, media_type="image/png")


if __name__ == "__main__":
    apis = [Decode(api_path="/decode"), Upscale(api_path="/upscale")]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=WORKERS)
    server.run(host="127.0.0.1", port=PORT, generate_client_file=False, log_level="warning")
