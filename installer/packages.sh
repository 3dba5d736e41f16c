# Sourced by ./run and ./check: which Debian/Ubuntu packages each part of the build needs, and how to install what is missing.
# shellcheck shell=bash

# Boost's version is part of its package names: Debian 12 has 1.81 beside its default, Ubuntu 24.04 has 1.83.
hearth_boost_version() {
  local v
  for v in 1.88 1.83 1.81; do
    if apt-cache show "libboost-json$v-dev" >/dev/null 2>&1; then echo "$v"; return; fi
  done
  echo 1.81
}

hearth_packages() {  # hearth_packages core|desktop|test|package|web
  case $1 in
    core)
      local boost; boost=$(hearth_boost_version)
      echo g++ cmake ninja-build ccache pkg-config ca-certificates python3 python3-pip \
        "libboost$boost-dev" "libboost-json$boost-dev" "libboost-url$boost-dev" \
        libfmt-dev libspdlog-dev libutf8proc-dev libsqlite3-dev libsqlitecpp-dev \
        prometheus-cpp-dev libcli11-dev libsodium-dev libssl-dev libcurl4-openssl-dev libqrencode-dev libavahi-client-dev \
        libzip-dev libpugixml-dev libgumbo-dev poppler-utils ;;
    desktop)
      echo qt6-base-dev qt6-charts-dev qt6-svg-dev qt6-l10n-tools qt6-tools-dev qt6-tools-dev-tools \
        libqt6opengl6-dev libgl-dev libmd4c-dev qt6-translations-l10n fonts-noto-cjk fonts-inter ;;
    test)
      echo libgtest-dev libgmock-dev libbenchmark-dev python3-venv xvfb xauth curl ;;
    package)  # making packages, and trying them in a system of their own
      echo dpkg-dev xz-utils binutils debootstrap desktop-file-utils appstream man-db ;;
    web)  # the page's tests and the npm clients
      echo nodejs npm chromium ;;
  esac
}

hearth_missing() {  # those of the arguments that are not installed
  local p
  for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || echo "$p"
  done
}

# hearth_install GROUP…: installs what is missing. Says what; asks before sudo; without a terminal it never waits.
hearth_install() {
  local stamp_dir=$1; shift
  local stamp="$stamp_dir/packages-$(echo "$@" | tr ' ' '-').stamp"
  [ "$stamp" -nt installer/packages.sh ] && return 0
  if ! command -v apt-get >/dev/null; then
    echo "This script installs packages on Debian 12 and Ubuntu 24.04. Elsewhere install what README.md lists, then set HEARTH_SKIP_PACKAGES=1." >&2
    [ "${HEARTH_SKIP_PACKAGES:-}" = 1 ] && return 0
    return 3
  fi
  local wanted=() group missing
  # A fresh machine has no package lists, and then no version of Boost can be seen.
  if ! apt-cache show libfmt-dev >/dev/null 2>&1; then hearth_as_root "read the package lists" apt-get update -qq || return; fi
  for group in "$@"; do read -r -a more <<<"$(hearth_packages "$group")"; wanted+=("${more[@]}"); done
  mapfile -t missing < <(hearth_missing "${wanted[@]}")
  if [ ${#missing[@]} -gt 0 ]; then
    echo "Packages to install: ${missing[*]}" >&2
    # Lists that are older than a day may name versions that are gone.
    hearth_as_root "install ${#missing[@]} packages" env DEBIAN_FRONTEND=noninteractive sh -c \
      'find /var/lib/apt/lists -name "*Packages*" -mtime -1 2>/dev/null | grep -q . || apt-get update -qq
       exec apt-get install -y --no-install-recommends "$@" </dev/null' apt "${missing[@]}" >&2 || return
  fi
  mkdir -p "$stamp_dir" && touch "$stamp"
}

hearth_as_root() {  # hearth_as_root WHAT COMMAND…
  local what=$1; shift
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  if [ "${HEARTH_YES:-}" != 1 ]; then
    if [ ! -t 0 ]; then
      echo "Needs root to $what, and there is no terminal to ask on. Run it again with --yes to allow sudo, or as root." >&2
      return 3
    fi
    local answer
    read -r -p "Use sudo to $what? [y/N] " answer
    case $answer in y|Y|yes) ;; *) echo "Not installed." >&2; return 3 ;; esac
  fi
  sudo "$@"
}
