#!/usr/bin/env bash
# Makes vendor/ anew from npm, exactly as package-lock.json pins it, and writes vendor/manifest.sha256.
# Only needed to change a version (npm install NAME@VERSION --package-lock-only here, then this script): builds use what is kept.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
from=$work/node_modules
rm -rf vendor
mkdir -p vendor/katex/fonts vendor/licenses
cp "$from/marked/lib/marked.esm.js" vendor/
cp "$from/dompurify/dist/purify.es.mjs" vendor/
cp "$from/@highlightjs/cdn-assets/es/highlight.min.js" vendor/
cp "$from/qrcode-generator/dist/qrcode.mjs" vendor/
cp "$from/katex/dist/katex.min.js" "$from/katex/dist/katex.min.css" vendor/katex/
cp "$from"/katex/dist/fonts/*.woff2 vendor/katex/fonts/
for package in marked dompurify katex qrcode-generator @highlightjs/cdn-assets; do
  licence=$(find "$from/$package" -maxdepth 1 -iname 'licen[sc]e*' -type f | sort | head -1)
  name=$(basename "$package")
  if [ -n "$licence" ]; then cp "$licence" "vendor/licenses/$name.txt"; fi
done
sed '/^$/q' vendor/qrcode.mjs >vendor/licenses/qrcode-generator.txt  # its licence stands in its head (MIT)
mv vendor/licenses/cdn-assets.txt vendor/licenses/highlight.js.txt
(cd vendor && find . -type f ! -name manifest.sha256 | LC_ALL=C sort | xargs sha256sum > manifest.sha256)
