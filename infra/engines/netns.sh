# shellcheck shell=bash disable=SC2034,SC2154
# The engines share a network namespace in which only loopback is up: Milvus
# 2.3.5 listens on all interfaces and cannot be told otherwise. It has a name of
# its own for each state folder, so that two sets of engines use the same ports
# side by side. Making one takes root; without it the ordinary loopback serves
# all but Milvus 2.3.5.
netns=upnext-engines
[ "$state" = "$default_state" ] || netns=$netns-$(cksum <<<"$state" | cut -d ' ' -f 1)

# inside is what to put before a command that shall run where the engines are.
inside=()

netns_find() {
  ! ip netns exec "$netns" true 2>/dev/null || inside=(ip netns exec "$netns")
}

netns_make() {
  netns_find
  [ "$(id -u)" = 0 ] && command -v ip >/dev/null || return 0
  if [ ${#inside[@]} = 0 ]; then
    ip netns delete "$netns" 2>/dev/null || true # a name that is left of one which has gone
    ip netns add "$netns" || return 0
    netns_find
  fi
  ip -n "$netns" link set lo up
}

netns_remove() {
  [ ! -e "/run/netns/$netns" ] || ip netns delete "$netns"
}
