#!/usr/bin/env bash
# Docker Engine and docker-compose from Debian's packages where they are missing, and the engine started
# where none answers. Needs root; leaves an engine that already runs as it is.
set -euo pipefail
log=${SPINELABEL_DOCKERD_LOG:-/var/log/spinelabel-dockerd.log}

has_compose() { docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }

# Only what is missing: Debian's engine beside another vendor's would replace it.
missing=()
command -v dockerd >/dev/null || docker info >/dev/null 2>&1 || missing+=(docker.io iptables)
has_compose || missing+=(docker-compose)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "install_engine.sh: root is needed to install ${missing[*]}" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! docker info >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || { echo "install_engine.sh: root is needed to start Docker" >&2; exit 1; }
  # Bridges keep to the size of packet that the way out takes, or large answers never arrive.
  out=$(ip -o route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  mtu=$(cat "/sys/class/net/${out:-lo}/mtu" 2>/dev/null || echo 1500)
  setsid nohup dockerd --mtu "$((mtu < 1500 ? mtu : 1500))" >"$log" 2>&1 </dev/null &
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && break
    sleep 0.5
  done
  docker info >/dev/null 2>&1 || { echo "install_engine.sh: dockerd does not start:" >&2; tail -n 20 "$log" >&2; exit 1; }
fi
docker version --format 'Docker Engine {{.Server.Version}}'
if docker compose version >/dev/null 2>&1; then docker compose version; else docker-compose version --short; fi
