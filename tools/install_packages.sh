#!/bin/bash
# Installs what is missing of the package groups named, and nothing if nothing is missing.
# Usage: install_packages.sh GROUP...      groups: see debian-packages.txt
set -euo pipefail
list=$(dirname "$0")/debian-packages.txt
[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }

wanted=()
for group in "$@"; do
    packages=$(sed -n "s/^$group: *//p" "$list")
    [ -n "$packages" ] || { echo "install_packages.sh: no group '$group' in $list" >&2; exit 2; }
    read -r -d '' -a of_group <<<"$packages" || true
    wanted+=("${of_group[@]}")
done

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "install_packages.sh: missing, and no sudo to install them: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
