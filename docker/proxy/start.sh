#!/bin/sh
# Start HAProxy with the operator's certificate, or with a new self-signed one if there is none.
set -eu
CERTIFICATE=/tls/site.pem
if [ ! -r "$CERTIFICATE" ]; then
    echo "no readable $CERTIFICATE: TLS with a self-signed certificate, for trying only" >&2
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=localhost" \
        -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout /tmp/key.pem -out /tmp/certificate.pem 2>/dev/null
    CERTIFICATE=/tmp/site.pem
    cat /tmp/certificate.pem /tmp/key.pem >"$CERTIFICATE"
fi
export CERTIFICATE
exec haproxy -W -db -f /etc/qrsr/haproxy.cfg
