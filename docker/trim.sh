#!/bin/sh
# Remove from a site-packages folder everything that the service never loads. Licence texts stay.
#   docker/trim.sh SITE_PACKAGES
set -eu
cd "$1"
# Tests, type stubs, headers.
find . -depth -type d \( -name tests -o -name test -o -name testdata \) -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.h' -o -name '*.hpp' -o -name '*.cuh' -o -name '*.a' \) -delete
# OpenCV: the cascades of its face detectors. ONNX Runtime: converters and its own tools. numpy: Fortran and C builds.
rm -rf cv2/data/*.xml \
    onnxruntime/backend onnxruntime/datasets onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
    numpy/f2py numpy/distutils
# Pillow: fonts. The service draws no text.
rm -rf PIL/_imagingft*.so pillow.libs/libharfbuzz* pillow.libs/libfreetype*
# fastapi-offline: Redoc. The service shows Swagger UI.
rm -f fastapi_offline/static/redoc.standalone.js
# Arrow: stores elsewhere, its network protocol, ORC, encryption, sources, its own tests, and one library under two more
# names. Bulk runs read and write local Parquet, CSV and JSON.
cd pyarrow
rm -rf include includes src ./*.pyx ./*.pxi _pyarrow_cpp_tests*.so \
    libarrow_flight.so* libarrow_python_flight.so* _flight*.so flight.py \
    libarrow_s3.so* _s3fs*.so _gcsfs*.so _azurefs*.so _hdfs*.so \
    _orc*.so _dataset_orc*.so libarrow_python_parquet_encryption.so* _parquet_encryption*.so _dataset_parquet_encryption*.so \
    libarrow_python.so libarrow_python.so.*.*
