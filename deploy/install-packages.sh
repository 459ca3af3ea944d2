#!/bin/sh
# Install the Debian packages that the given lists name and that are not there yet.
# Without root: say exactly what to install, and stop.
set -eu
wanted=$(cat "$@")
missing=""
for name in $wanted; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "These Debian packages are missing. Ask an administrator to run:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 -qq update
# shellcheck disable=SC2086 # a list of words
apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq install --no-install-recommends -y $missing >/dev/null
