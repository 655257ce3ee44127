#!/usr/bin/env bash
# need.sh COMMAND... : make sure that each command is there, installing its
# Debian package where we may, and saying what to install where we may not.
set -euo pipefail

package_of() {
  case "$1" in
    chromium) echo chromium ;;
    python3) echo python3 ;;
    pip3) echo python3-pip ;;
    java | javac) echo default-jdk-headless ;;
    mvn) echo maven ;;
    cc) echo build-essential ;;
    samba-tool) echo samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules ;;
    ldbmodify) echo ldb-tools ;;
    ip) echo iproute2 ;;
    mkfs.ext4) echo e2fsprogs ;;
    ldapmodify) echo ldap-utils ;;
    rsyslogd) echo rsyslog rsyslog-gnutls ;;
    *) echo "$1" ;;
  esac
}

missing=()
for command in "$@"; do
  command -v "$command" >/dev/null 2>&1 || missing+=("$(package_of "$command")")
done
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install --yes --no-install-recommends ${missing[*]}"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  retry=$(dirname "$0")/retry.sh
  "$retry" apt-get update -qq
  "$retry" $install -qq >/dev/null
  exit 0
fi
echo "The tests need: ${missing[*]}" >&2
echo "Install them, on Debian or Ubuntu with: sudo $install" >&2
exit 1
