#!/usr/bin/env bash
# Makes the packages: hearth (command and headless server), hearth-desktop (the window), hearth-cuda (where that module is
# built) as .deb, and a tar that runs from any folder.
#   installer/build_packages.sh [--build DIR] [--out DIR] [--version V] [--only deb|tar] [--fast] [--as-is]
# --build takes a configured build folder; without it build/release is configured and built. Not CPack: its packages would
# need its own copy of what is here (dependencies of each component, compressed man pages, bundled libraries), in settings.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cd "$root"
build= out= version= only= deb_pack=-Zxz tar_pack="xz -T0" as_is=0
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$2; shift ;;
    --out) out=$2; shift ;;
    --version) version=$2; shift ;;
    --only) only=$2; shift ;;
    --fast) deb_pack='-Zgzip -z1' tar_pack='xz -T0 -0' ;;  # larger, for tests
    --as-is) as_is=1 ;;  # what is built, without building
    *) sed -n '2,7p' "$0"; [ "$1" = --help ] && exit 0; exit 2 ;;
  esac
  shift
done
if [ -z "$build" ]; then
  # shellcheck source=installer/packages.sh
  . installer/packages.sh
  build=build/release
  mkdir -p $build
  hearth_install $build core desktop package
  cmake --preset release -DHEARTH_DESKTOP=ON >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
fi
build=$(cd "$build" && pwd)
out=${out:-$build/packages}
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=${version:-$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}  # the same source gives the same packages
export SOURCE_DATE_EPOCH
work=$(mktemp -d "${TMPDIR:-/tmp}/hearth-packages-XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
[ $as_is = 1 ] || ninja -C "$build" hearth_installable >"$work/ninja.log" || { cat "$work/ninja.log" >&2; exit 1; }

stage() {  # stage COMPONENT PREFIX
  cmake --install "$build" --component "$1" --prefix "$2" --strip >"$work/install.log" || { cat "$work/install.log" >&2; exit 1; }
}

# What each package says of itself. Depends: besides the libraries that dpkg-shlibdeps finds.
declare -A depends=(
  [host]="ca-certificates"
  [desktop]="ca-certificates, fonts-noto-cjk, hicolor-icon-theme"
  [cuda]="hearth (= $version) | hearth-desktop (= $version)"
)
declare -A recommends=(
  [host]="avahi-daemon"
  [desktop]="qt6-wayland, qt6-translations-l10n, fonts-inter, xdg-utils, avahi-daemon"
  [cuda]=""
)
declare -A package=([host]=hearth [desktop]=hearth-desktop [cuda]=hearth-cuda)
declare -A short=(
  [host]="language models on one's own machine: command and server"
  [desktop]="language models on one's own machine: chat, library and server in a window"
  [cuda]="language models on one's own machine: NVIDIA graphics cards"
)
declare -A long=(
  [host]=" Runs GGUF models in the terminal, and serves them to programs and to a team
 by the APIs of OpenAI, Anthropic and Ollama, with accounts, keys and quotas.
 A user unit starts the server with the session: systemctl --user enable hearth"
  [desktop]=" Chats, a model library with downloads, charts of memory and speed, and a
 server that is switched on with one click so that a team shares the machine.
 .
 The program is linked with Qt Charts and distributed under the GPL, version 3."
  [cuda]=" The module that computes on NVIDIA graphics cards. It is loaded where a driver
 is present, and of no use elsewhere."
)

deb() {  # deb COMPONENT
  local name=${package[$1]} tree=$work/deb-$1
  mkdir -p "$tree/DEBIAN" "$work/control-$1/debian"
  stage "$1" "$tree/usr"
  find "$tree/usr/share/man" -type f -exec gzip -9n {} + 2>/dev/null || true
  licences "$tree/usr/share/doc/$name"
  local changelog="$tree/usr/share/doc/$name/changelog.gz"
  printf '%s (%s) stable; urgency=medium\n\n  * See docs/ROADMAP.md of the source.\n\n -- The Hearth project <hearth@localhost>  %s\n' \
    "$name" "$version" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n > "$changelog"
  find "$tree/usr" -type d -exec chmod 755 {} +
  find "$tree/usr" -type f -exec chmod 644 {} +
  [ ! -d "$tree/usr/bin" ] || chmod 755 "$tree"/usr/bin/*
  local binaries=()
  mapfile -t binaries < <(find "$tree/usr/bin" "$tree/usr/lib/hearth" -type f 2>/dev/null)
  printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" > "$work/control-$1/debian/control"
  local libraries
  libraries=$(cd "$work/control-$1" && dpkg-shlibdeps -O "${binaries[@]}" | sed -n 's/^shlibs:Depends=//p')
  {
    echo "Package: $name"
    echo "Version: $version"
    echo "Architecture: $(dpkg --print-architecture)"
    echo "Maintainer: The Hearth project <hearth@localhost>"
    echo "Section: science"
    echo "Priority: optional"
    echo "Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f1)"
    echo "Depends: $libraries, ${depends[$1]}"
    [ -z "${recommends[$1]}" ] || echo "Recommends: ${recommends[$1]}"
    echo "Description: ${short[$1]}"
    echo "${long[$1]}"
  } > "$tree/DEBIAN/control"
  (cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$tree/DEBIAN/md5sums"
  find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  # shellcheck disable=SC2086
  dpkg-deb --root-owner-group $deb_pack --build "$tree" "$out/${name}_${version}_$(dpkg --print-architecture).deb" >/dev/null
  echo "$out/${name}_${version}_$(dpkg --print-architecture).deb"
}

# Texts of the libraries whose code is inside the programs and not in a package of its own.
licences() {
  local each file
  for each in libsqlitecpp-dev libcli11-dev "$(dpkg-query -W -f='${Package}\n' 'libboost1.*-dev' 2>/dev/null | head -1)"; do
    file=/usr/share/doc/$each/copyright
    [ -z "$each" ] || [ ! -r "$file" ] || install -Dm644 "$(readlink -f "$file")" "$1/licenses/$each.txt"
  done
}

tarball() {
  local name tree
  name=hearth-$version-linux-$(uname -m)
  tree=$work/$name
  stage host "$tree"
  if [ -x "$build/bin/hearth-desktop" ]; then stage desktop "$tree"; fi
  if ls "$build"/bin/libhearth_cuda* "$build"/lib/libhearth_cuda* >/dev/null 2>&1; then stage cuda "$tree"; fi
  python3 installer/bundle.py "$tree"
  for each in "$tree"/share/doc/*/; do licences "$each"; done
  install -m644 LICENSE "$tree/LICENSE"
  [ ! -r /usr/share/common-licenses/GPL-3 ] || install -m644 /usr/share/common-licenses/GPL-3 "$tree/LICENSE.GPL-3"
  install -m755 installer/linux/integrate.sh "$tree/integrate.sh"
  sed -i 's#^ExecStart=[^ ]*#ExecStart=%h/.local/bin/hearth#' "$tree/lib/systemd/user/hearth.service"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$work" -I "$tar_pack" -cf "$out/$name.tar.xz" "$name"
  echo "$out/$name.tar.xz"
}

if [ "$only" != tar ]; then
  deb host
  if [ -x "$build/bin/hearth-desktop" ]; then deb desktop; fi
  if grep -q 'cuda' "$build/installer/cmake_install.cmake"; then deb cuda; fi
fi
if [ "$only" != deb ]; then tarball; fi
