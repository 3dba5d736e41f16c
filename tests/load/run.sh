#!/usr/bin/env bash
# Long runs of other people's programs against the real server; 77 (skipped) where a program or a model is missing.
#   run.sh fetch                     their packages into the cache
#   run.sh locust HEARTH             50 people for ten minutes: no error, memory and descriptors flat
#   run.sh aiperf HEARTH             the same by aiperf
#   run.sh schemathesis HEARTH       requests made up from the OpenAPI document, twelve minutes
#   run.sh cancellations HEARTH      10,000 clients that go away
#   run.sh flood HEARTH             one account floods the machine, another one waits for its first word
#   run.sh langchain HEARTH          LangChain's suite for chat models, with a model that uses tools
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${HEARTH_LOAD_PACKAGES:-$here/../../.cache/load}
skip() { echo "skipped: $1"; exit 77; }
model() { ls "${HEARTH_TEST_MODELS:-/nonexistent}"/$1 2>/dev/null | head -1 || true; }

case ${1:-} in
  fetch)
    # Two environments: aiperf pins what the others want newer.
    for name in clients aiperf; do
      [ -x "$cache/$name/bin/python" ] || python3 -m venv "$cache/$name"
      "$cache/$name/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-$name.txt"
    done ;;
  locust | aiperf | schemathesis | cancellations | flood | langchain)
    small=$(model 'smollm2-135m-instruct-*.gguf')
    [ -n "$small" ] || skip "no model: HEARTH_TEST_MODELS"
    if [ "$1" = cancellations ]; then exec python3 "$here/cancel_storm.py" "$2" "$small" "${@:3}"; fi
    if [ "$1" = flood ]; then exec python3 "$here/flood.py" "$2" "$small" "${@:3}"; fi
    [ -x "$cache/clients/bin/python" ] || skip "no load programs: ninja check_load fetches them"
    export HEARTH_LOAD_TOOLS=$cache/clients/bin:$cache/aiperf/bin
    case $1 in
      locust | aiperf) exec python3 "$here/soak.py" "$2" "$small" "$1" "${@:3}" ;;
      schemathesis) exec python3 "$here/openapi_fuzz.py" "$2" "$small" "${@:3}" ;;
    esac
    tools=$(model 'qwen2.5-coder-1.5b-instruct*.gguf')
    [ -n "$tools" ] || skip "no model that uses tools: HEARTH_TEST_MODELS"
    exec "$cache/clients/bin/python" "$here/../conformance/langchain_client.py" "$2" "$tools" ;;
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
