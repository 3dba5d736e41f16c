#!/usr/bin/env bash
# Draws the pictures in docs/screenshots: every page, light and dark, English and Chinese, at 1280 x 800.
#   docs/make_screenshots.sh BUILD --real GGUF [SMALL_GGUF]   the real program with a model, under Xvfb (needs xvfb, xdotool,
#                                                             imagemagick, curl): it is asked, it answers, pictures are taken
#   docs/make_screenshots.sh [BUILD] [FOLDER]                 the window on the tests' doubles: same pictures everywhere, also
#                                                             of empty pages and GPUs; into BUILD/shots unless named
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build/dev}
work=$(mktemp -d /tmp/pictures-XXX)
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
  QT_QPA_PLATFORM=offscreen "$build/bin/make_screenshots" "${2:-$build/shots}"
  exit
fi

model=$3
small=${4:-}
name=$(basename "$model" .gguf)
out="$here/docs/screenshots"
port=11435
mkdir -p "$out"

# One window: asks, waits for the answer, and visits each page. Runs inside Xvfb; there is no window manager, so the
# keyboard is given to the window by hand. In a file: xvfb-run's shell does not pass functions on.
cat > "$work/session" <<'SESSION'
session() {
  local language=$1 theme=$2 question=$3 data=$4
  "$build/bin/hearth-desktop" --data-dir "$data" ${question:+--model "$name"} & local program=$!
  local window=
  for _ in $(seq 100); do
    window=$(xdotool search --onlyvisible --name '^Hearth$' 2>/dev/null | tail -1) && [ -n "$window" ] && break
    sleep 0.2
  done
  shot() {
    xdotool mousemove 1279 799
    sleep 1
    import -window root +dither -colors 128 -strip -define png:compression-level=9 "PNG8:$out/$1-$theme-$language.png"
  }
  xdotool windowfocus --sync "$window"
  if [ -z "$question" ]; then  # the first start: nothing there yet
    local number=1
    for page in chat models dashboard server; do
      xdotool key ctrl+$number
      sleep 2
      shot "empty-$page"
      number=$((number + 1))
    done
    kill $program
    wait $program
    return
  fi
  until grep -q "^last_model=" "$data/desktop.ini" 2>/dev/null; do sleep 0.2; done  # written when a model is ready
  xdotool key ctrl+1
  xdotool type --delay 60 "$question"
  xdotool key Return
  sleep "${ANSWER_SECONDS:-25}"
  shot chat
  # The server page: past the page's scroll area to the switch by keyboard, and then someone uses it.
  xdotool key ctrl+4 Tab Tab space
  for _ in $(seq 50); do curl -fs "http://127.0.0.1:$port/health" > /dev/null && break; sleep 0.2; done
  curl -fs "http://127.0.0.1:$port/v1/models" > /dev/null
  for words in "Name three colours." "Write a haiku about the sea." "What is 17 times 3?"; do
    curl -fs "http://127.0.0.1:$port/v1/chat/completions" -H 'Content-Type: application/json' \
      -d "{\"messages\": [{\"role\": \"user\", \"content\": \"$words\"}], \"max_tokens\": 60}" > /dev/null || true
  done
  curl -s "http://127.0.0.1:$port/v1/chat/completions" -H 'Content-Type: application/json' -d '{"model": "no-such-model", "messages": []}' > /dev/null
  shot server
  curl -s "http://127.0.0.1:$port/v1/chat/completions" -H 'Content-Type: application/json' \
    -d '{"messages": [{"role": "user", "content": "Tell me a long story about a lighthouse."}], "max_tokens": 400}' > /dev/null & local reader=$!
  xdotool key ctrl+3
  sleep 6
  shot dashboard
  kill $reader 2>/dev/null || true
  xdotool key ctrl+2
  shot models
  xdotool key ctrl+5
  shot settings
  kill $program
  wait $program
}
set -euo pipefail
session "$@"
SESSION

export build out name port
for language in en zh_CN; do
  question="Write a C++ function median() for a vector of doubles as a code block, then say in two sentences why it is correct."
  [ $language = en ] || question="用三点说明什么是数据库索引，并给出一个 SQL 例子。"
  for theme in light dark; do
    data="$work/hearth-$language-$theme"
    mkdir -p "$data/models"
    for file in "$model" $small; do ln "$file" "$data/models/" 2>/dev/null || cp "$file" "$data/models/"; done
    head -c 3000000 "$model" > "$data/models/interrupted-download.gguf"
    printf '[General]\nlanguage=%s\ntheme=%s\n' "$language" "$theme" > "$data/desktop.ini"
    xvfb-run -a -s '-screen 0 1280x800x24' bash "$work/session" "${language%_*}" "$theme" "$question" "$data"
    echo "$language $theme: done"
    [ $theme = light ] || continue
    mkdir -p "$data-empty"
    printf '[General]\nlanguage=%s\ntheme=%s\n' "$language" "$theme" > "$data-empty/desktop.ini"
    xvfb-run -a -s '-screen 0 1280x800x24' bash "$work/session" "${language%_*}" "$theme" "" "$data-empty"
  done
done
