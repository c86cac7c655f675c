#!/usr/bin/env bash
# Build the CPU image, start it with compose, read the sample crops through it, stop it. Works with any Docker engine.
#   docker/smoke.sh [docker compose command]      for example: docker/smoke.sh docker-compose
set -euo pipefail
cd "$(dirname "$0")/.."
compose=${1:-docker compose}
export PORT=${PORT:-8000}
$compose build qrsr
$compose up -d qrsr
trap '$compose logs --tail 20 qrsr; $compose down' EXIT
for _ in $(seq 60); do
    curl -fsS "http://127.0.0.1:$PORT/readyz" && break
    sleep 1
done
echo
for crop in docs/samples/*.png; do
    answer=$(curl -fsS -F "file=@$crop" "http://127.0.0.1:$PORT/decode")
    echo "$crop: $answer"
    grep -q '"text":"' <<<"$answer" || { echo "nothing read from $crop" >&2; exit 1; }
done
container=$($compose ps -q qrsr)
[ "$(docker exec "$container" id -u)" != 0 ] || { echo "runs as root" >&2; exit 1; }
for _ in $(seq 30); do
    state=$(docker inspect --format '{{.State.Health.Status}}' "$container")
    [ "$state" = healthy ] && { trap - EXIT; $compose down; echo "healthy, non-root, every sample read"; exit 0; }
    sleep 2
done
echo "health check says $state" >&2
exit 1
