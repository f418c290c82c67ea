#!/usr/bin/env bash
# Pins the images that others publish: writes the digest that each tag has now behind it, in docker-compose.yml and deploy/Dockerfile.
# Needs Docker with buildx, and a way to the registries. What is pinned already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

pin() { # FILE PREFIX IMAGE: the line of FILE that is PREFIX and IMAGE gets the digest
  local digest
  digest=$(docker buildx imagetools inspect "$3" --format '{{.Manifest.Digest}}')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "no digest for $3: $digest" >&2; exit 1; }
  sed -i "s#^\($2\)$3\$#\1$3@$digest#" "$1"
  echo "$3@$digest"
}

sed -nE 's/^ +image: ([a-z0-9./-]+:[A-Za-z0-9._-]+)$/\1/p' docker-compose.yml | sort -u | while read -r image; do
  pin docker-compose.yml ' *image: ' "$image"
done
sed -nE 's/^ARG PYTHON_IMAGE=([a-z0-9./-]+:[A-Za-z0-9._-]+)$/\1/p' deploy/Dockerfile | while read -r image; do
  pin deploy/Dockerfile 'ARG PYTHON_IMAGE=' "$image"
done
