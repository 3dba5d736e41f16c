#!/usr/bin/env bash
# Lives the life of the packages in a Debian of their own: clean install, upgrade from an older version, a server that answers
# there, removal, purge; user data stays. Then the tar, in a folder of its own. Needs root (a chroot), debootstrap, network.
#   installer/test_packages.sh [--build DIR] [--work DIR] [--suite bookworm] [--mirror URL] [--keep] [--as-is]
# Everything is mounted in a mount namespace of this script's: it goes with it, and nothing outside is touched. The system is
# made once and kept in DIR/base (--keep keeps it after a success, too).
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
build=$root/build/release work=${TMPDIR:-/tmp}/hearth-package-test suite=bookworm mirror=http://deb.debian.org/debian keep=0 as_is=()
arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(cd "$2" && pwd); shift ;;
    --work) work=$2; shift ;;
    --suite) suite=$2; shift ;;
    --mirror) mirror=$2; shift ;;
    --keep) keep=1 ;;
    --as-is) as_is=(--as-is) ;;
    *) sed -n '2,6p' "$0"; exit 2 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || { echo "test_packages: needs root for a chroot" >&2; exit 77; }
command -v debootstrap >/dev/null || { echo "test_packages: debootstrap is missing" >&2; exit 77; }
if [ "${HEARTH_OWN_NAMESPACE:-}" != 1 ]; then
  HEARTH_OWN_NAMESPACE=1 exec unshare --mount --propagation private "$0" "${arguments[@]}"
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
base=$work/base system=$work/system
say() { printf '== %s\n' "$*"; }
die() { printf 'test_packages: %s\n' "$*" >&2; exit 1; }
remove_tree() {  # nothing may be mounted below, and nothing of another file system is entered
  case $1 in "$work"/?*) ;; *) die "would not delete $1" ;; esac
  if awk -v place="$1/" 'index($2 "/", place) == 1 { found = 1 } END { exit !found }' /proc/self/mounts; then die "$1 has mounts below it"; fi
  rm -rf --one-file-system "$1"
}
unmount_all() {
  local place
  awk -v place="$system/" 'index($2, place) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r place; do umount "$place"; done
}
trap unmount_all EXIT

say "packages"
"$root/installer/build_packages.sh" --build "$build" --out "$work/packages" --fast "${as_is[@]}" --only deb --version 0.0.9 | sed 's/^/   /'
"$root/installer/build_packages.sh" --build "$build" --out "$work/packages" --fast "${as_is[@]}" | tee "$work/made.txt" | sed 's/^/   /'
version=$(sed -n 's/.*hearth_\(.*\)_[a-z0-9]*\.deb$/\1/p' "$work/made.txt")

if [ ! -x "$base/usr/bin/apt-get" ]; then
  say "a $suite of its own (once)"
  remove_tree "$base"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$base" "$mirror" >"$work/debootstrap.log" || die "debootstrap failed, see $work/debootstrap.log"
fi
unmount_all
remove_tree "$system"
cp -a --reflink=auto "$base" "$system"
mkdir -p "$system/packages"
cp "$work"/packages/*.deb "$work"/packages/*.tar.xz "$system/packages/"
mount -t proc proc "$system/proc"
mount -t tmpfs -o mode=755,size=1m devices "$system/dev"  # its own: nothing of this machine's /dev is in there
mknod -m 666 "$system/dev/null" c 1 3
mknod -m 666 "$system/dev/zero" c 1 5
mknod -m 666 "$system/dev/random" c 1 8
mknod -m 666 "$system/dev/urandom" c 1 9
mkdir -m 1777 "$system/dev/shm"
ln -s /proc/self/fd "$system/dev/fd"
cp /etc/resolv.conf "$system/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$system/usr/sbin/policy-rc.d"
chmod 755 "$system/usr/sbin/policy-rc.d"

inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$system" "$@"; }
person() { env -i PATH=/usr/bin:/bin HOME=/home/ada LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/home/ada/run QT_QPA_PLATFORM=offscreen /usr/sbin/chroot --userspec=ada:ada "$system" "$@"; }
apt() { inside apt-get -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; die "apt-get $* failed"; }; }
packages_of() { ls "$system"/packages/*_"$1"_*.deb | sed "s#^$system##"; }

say "clean install of an older version"
apt update
# shellcheck disable=SC2046
apt install $(packages_of 0.0.9)
inside useradd -m ada
person mkdir -m 700 /home/ada/run
[ "$(inside dpkg-query -W -f='${Version}' hearth)" = 0.0.9 ] || die "0.0.9 is not installed"
person hearth --version >/dev/null || die "hearth does not start"
person hearth user add grace --role member --invite >/dev/null || die "no data can be made"
before=$(cd "$system/home/ada/.local/share/hearth" && ls hearth.db && person hearth user list --json)

say "upgrade to $version"
# shellcheck disable=SC2046
apt install $(packages_of "$version")
[ "$(inside dpkg-query -W -f='${Version}' hearth)" = "$version" ] || die "$version is not installed"
inside dpkg --verify hearth
inside dpkg --audit
[ -z "$(inside dpkg --verify hearth hearth-desktop)" ] || die "installed files differ from the package's"
[ "$before" = "$(cd "$system/home/ada/.local/share/hearth" && ls hearth.db && person hearth user list --json)" ] || die "the upgrade changed user data"

answers() {  # answers NAME COMMAND…: a server of it answers on its loopback
  local name=$1 log=$work/serve.log server line address body
  shift
  "$@" serve --port 0 >"$log" 2>&1 & server=$!
  for _ in $(seq 100); do line=$(grep -m1 '^listening on ' "$log" || true); [ -z "$line" ] || break; sleep 0.1; done
  [ -n "$line" ] || { cat "$log" >&2; die "$name serve does not listen"; }
  address=${line#listening on }
  body=$(python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1] + "/v1/models", timeout=5).read().decode())' "$address") || die "$name does not answer"
  kill -TERM "$(pgrep -P "$server")"
  wait "$server" || die "$name serve ended badly"
  case $body in *'"object"'*) ;; *) die "$name answered $body" ;; esac
}

# ends_well NAME COMMAND…: the window comes, and ends well when it is asked to
ends_well() {
  local name=$1 window status=0
  shift
  "$@" >"$work/window.log" 2>&1 & window=$!
  sleep 4
  kill -TERM "$(pgrep -P "$window")" || { cat "$work/window.log" >&2; die "$name: the window did not stay"; }
  wait "$window" || status=$?
  [ "$status" = 0 ] || { cat "$work/window.log" >&2; die "$name: the window ended with $status"; }
}

say "what was installed works"
for command in "hearth --version" "hearth-desktop --version" "hearth list" "hearth doctor --json"; do
  # shellcheck disable=SC2086
  person $command >"$work/command.log" 2>&1 || { cat "$work/command.log" >&2; die "$command failed"; }
done
answers hearth person hearth
ends_well hearth-desktop person hearth-desktop
[ -f "$system/home/ada/.local/share/hearth/desktop.ini" ] || die "the window kept nothing"
person hearth-desktop --help | grep -q -- --background || die "hearth-desktop lacks an option"

say "removal and purge"
apt remove hearth hearth-desktop
[ ! -e "$system/usr/bin/hearth" ] && [ ! -e "$system/usr/bin/hearth-desktop" ] || die "programs are left"
# shellcheck disable=SC2046
apt install $(packages_of "$version")
apt purge hearth hearth-desktop
left=$(inside find / -xdev \( -path /proc -o -path /home -o -path /packages \) -prune -o \( -iname '*hearth*' -print \))
[ -z "$left" ] || die "left behind: $left"
[ -f "$system/home/ada/.local/share/hearth/hearth.db" ] || die "user data is gone"

say "the tar, in a folder of its own"
inside apt-get -y autoremove >/dev/null 2>&1  # no library of the packages helps
apt install xz-utils libfontconfig1 libegl1 libopengl0 libglx0 libgl1 libdbus-1-3 libxkbcommon0 libxkbcommon-x11-0 libglib2.0-0 libfreetype6 \
  libgssapi-krb5-2
person sh -c 'mkdir "/home/ada/my programs" && cd "/home/ada/my programs" && tar -xJf /packages/hearth-*.tar.xz && mv hearth-* hearth && : > hearth/portable'
place="/home/ada/my programs/hearth"
person "$place/bin/hearth" --version >/dev/null || die "hearth of the tar does not start"
person "$place/bin/hearth" list >/dev/null || die "hearth list of the tar"
answers "hearth of the tar" person "$place/bin/hearth"
ends_well "hearth-desktop of the tar" person "$place/bin/hearth-desktop"
[ -f "$system$place/data/hearth.db" ] && [ -f "$system$place/data/desktop.ini" ] || die "portable data is not beside the program"
person mv "$place" "/home/ada/elsewhere"
person /home/ada/elsewhere/bin/hearth-desktop --version >/dev/null || die "a moved folder does not start"
person /home/ada/elsewhere/integrate.sh
person grep -q '^Exec="/home/ada/elsewhere/bin/hearth-desktop" %U' /home/ada/.local/share/applications/hearth-desktop.desktop || die "no menu entry"
person /home/ada/.local/bin/hearth --version >/dev/null || die "no command"
person /home/ada/elsewhere/integrate.sh --remove
left=$(find "$system/home/ada/.local" "$system/home/ada/.config" -name '*hearth*' ! -path '*/share/hearth*' 2>/dev/null || true)
[ -z "$left" ] || die "integrate.sh --remove left $left"

unmount_all
[ $keep = 1 ] || remove_tree "$system"
say "done: clean install, upgrade, serve, window, removal, purge, tar"
