#!/usr/bin/env bash
# Draws the pictures in docs/screenshots: every page, light and dark, English and Chinese, at 1280 x 800.
#   docs/make_screenshots.sh [BUILD_FOLDER]            the window on the tests' doubles: same pictures everywhere
#   docs/make_screenshots.sh BUILD_FOLDER --real GGUF  the real program with a model, under Xvfb, into BUILD_FOLDER/shots
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build/dev}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The pictures show the fonts that the package depends on, whatever this machine's default is.
cat > "$work/fonts.conf" <<'XML'
<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Inter</family><family>Noto Sans CJK SC</family></prefer></alias>
  <alias binding="strong"><family>Sans Serif</family><prefer><family>Inter</family><family>Noto Sans CJK SC</family></prefer></alias>
  <alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
XML
export FONTCONFIG_FILE="$work/fonts.conf" XDG_RUNTIME_DIR="$work"

if [ "${2:-}" != --real ]; then
  QT_QPA_PLATFORM=offscreen "$build/bin/make_screenshots" "$here/docs/screenshots"
  exit
fi

model=$3
mkdir -p "$build/shots"
for language in en zh_CN; do
  for theme in light dark; do
    for page in chat models dashboard server settings; do
      data="$work/$language-$theme-$page"
      mkdir -p "$data/models"
      ln "$model" "$data/models/" 2>/dev/null || cp "$model" "$data/models/"
      printf '[General]\nlanguage=%s\ntheme=%s\n' "$language" "$theme" > "$data/desktop.ini"
      # shellcheck disable=SC2016  # expanded by the inner shell
      xvfb-run -a -s '-screen 0 1280x800x24' bash -c '
        "$1" --data-dir "$2" --page "$3" & program=$!
        sleep 8
        import -window root -colors 256 "$4"
        kill $program; wait $program || true
      ' _ "$build/bin/hearth-desktop" "$data" "$page" "$build/shots/$page-$theme-${language%_*}.png"
    done
  done
done
