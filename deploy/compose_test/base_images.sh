#!/usr/bin/env bash
# The base images that the compose file and the Dockerfile name: already there, else pulled, else, on a
# machine that can pull nothing, made from Debian's packages under the same tags. Images made that way stand
# in for tests; they hold Debian's Python and Redis, and are labelled spinelabel.base=debian-packages.
#
#   base_images.sh            needs a running Docker engine, and root where images have to be made
#   SPINELABEL_CACHE=FOLDER   keeps the made images between runs (default: ~/.cache/spinelabel)
#   DEBIAN_MIRROR=URL         where Debian's packages come from (default: the first one apt uses here)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SPINELABEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spinelabel}
suite=bookworm
work=

# One place names each tag: the Dockerfile for Python, the compose file for Redis.
python_tag=$(sed -n 's/^ARG PYTHON_IMAGE=//p' "$root/deploy/Dockerfile")
redis_tag=$(sed -n 's/^ *image: *\(redis:[^ ]*\) *$/\1/p' "$root/docker-compose.yml")
test -n "$python_tag" && test -n "$redis_tag" || { echo "base_images.sh: no base image is named" >&2; exit 1; }

cleanup() {
  [ -z "$work" ] && return
  for mounted in "$work"/*/proc; do mountpoint -q "$mounted" && umount "$mounted"; done
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

mirror() {
  local first
  first=$(sed -n -E 's/^URIs: *([^ ]+).*/\1/p; s/^deb( \[[^]]*\])? ([^ ]+\/debian) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  echo "${DEBIAN_MIRROR:-${first:-http://deb.debian.org/debian}}"
}

need_tools() {
  [ "$(id -u)" = 0 ] || { echo "base_images.sh: root is needed to make $1 from Debian's packages" >&2; exit 1; }
  command -v debootstrap >/dev/null && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
}

# A bare Debian, unpacked once and copied for each image.
bare() {
  local tarball=$cache/debian-$suite.tar
  if [ ! -e "$tarball" ]; then
    mkdir -p "$cache" "$work/bare"
    debootstrap --variant=minbase "$suite" "$work/bare" "$(mirror)" >"$work/debootstrap.log" 2>&1 ||
      { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
    tar -C "$work/bare" --exclude=./var/cache/apt/archives/*.deb -cf "$tarball.part" .
    mv "$tarball.part" "$tarball"
  fi
  mkdir -p "$1"
  tar -C "$1" -xf "$tarball"
  # Nothing may be started by a package's installation.
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  mount -t proc proc "$1/proc"
}

install_in() {
  local folder=$1
  shift
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Sandbox::User=root update >/dev/null
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root \
    install -y --no-install-recommends "$@" >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; exit 1; }
}

# import FOLDER TAG [CHANGE…]: what an image has no use for stays out.
import() {
  local folder=$1 tag=$2
  shift 2
  umount "$folder/proc"
  rm -rf "$folder"/usr/share/{doc,man,locale,info,lintian,i18n} "$folder"/var/cache/* "$folder"/var/lib/apt/lists/* \
    "$folder"/var/log/* "$folder"/usr/sbin/policy-rc.d "$folder"/etc/resolv.conf
  local changes=()
  for change in "LABEL spinelabel.base=debian-packages" "$@"; do changes+=(--change "$change"); done
  tar -C "$folder" -c . | docker import "${changes[@]}" - "$tag" >/dev/null
  docker save "$tag" -o "$(tarball_of "$tag").part"
  mv "$(tarball_of "$tag").part" "$(tarball_of "$tag")"
  rm -rf --one-file-system "$folder"
}

tarball_of() { echo "$cache/$(echo "$1" | tr ':/' '--').tar"; }

make_python() {
  bare "$work/python"
  install_in "$work/python" python3 python3-venv ca-certificates
  ln -sf python3 "$work/python/usr/bin/python"
  rm -f "$work"/python/usr/lib/python3*/EXTERNALLY-MANAGED
  import "$work/python" "$1" 'CMD ["python3"]'
}

make_redis() {
  bare "$work/redis"
  # The same numbers as the official image's: the compose file and the volume rely on them.
  chroot "$work/redis" groupadd --system --gid 999 redis
  chroot "$work/redis" useradd --system --uid 999 --gid 999 --no-create-home redis
  install_in "$work/redis" redis-server
  install -d -o 999 -g 999 "$work/redis/data"
  import "$work/redis" "$1" 'VOLUME /data' 'WORKDIR /data' 'CMD ["redis-server"]'
}

have() {
  local tag=$1 make=$2
  if docker image inspect "$tag" >/dev/null 2>&1; then
    echo "$tag: already here"
  elif [ -e "$(tarball_of "$tag")" ]; then
    docker load -q -i "$(tarball_of "$tag")" >/dev/null
    echo "$tag: from $(tarball_of "$tag")"
  elif timeout 300 docker pull -q "$tag" >/dev/null 2>&1; then
    echo "$tag: pulled"
  else
    need_tools "$tag"
    mkdir -p "$cache"
    work=${work:-$(mktemp -d)}
    "$make" "$tag"
    echo "$tag: cannot be pulled here, made from Debian's packages ($(docker image inspect -f '{{.Size}}' "$tag" |
      awk '{printf "%d MB", $1 / 1e6}'))"
  fi
}

have "$python_tag" make_python
have "$redis_tag" make_redis
