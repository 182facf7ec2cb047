# shellcheck shell=bash disable=SC2034,SC2154
# A Python with pyarrow: no server, but the reader by which the archive's tests
# see that others can read its Parquet.
python_dir=$cache/pyarrow-$pyarrow_version

python_packages() { echo curl; }

python_installed() { [ -f "$python_dir/complete" ]; }

python_install() { venv "pyarrow-$pyarrow_version" "${python_pins[@]}"; }

python_env() { echo "UPNEXT_TEST_PYTHON=$python_dir/bin/python"; }
