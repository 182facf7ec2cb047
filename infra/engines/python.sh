# shellcheck shell=bash disable=SC2034,SC2154
# A Python with pyarrow and TensorBoard: no server, but the readers by which tests
# see that others can read the archive's Parquet and the trainings' curves.
python_dir=$cache/readers-$pyarrow_version-$tensorboard_version

python_packages() { echo curl; }

python_installed() { [ -f "$python_dir/complete" ]; }

python_install() { venv "readers-$pyarrow_version-$tensorboard_version" "${python_pins[@]}"; }

python_env() { echo "UPNEXT_TEST_PYTHON=$python_dir/bin/python"; }
