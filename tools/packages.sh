# tools/packages.sh: which Debian packages each purpose needs, and how they get installed.
# Sourced by ./dev. Names hold for Debian 12 and 13.

packages_build=(clang-19 lld-19 llvm-19 libclang-rt-19-dev ninja-build cmake ccache pkg-config
  python3 libfmt-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev
  libbenchmark-dev libssl-dev libnghttp2-dev libcrypt-dev libmaxminddb-dev
  zlib1g-dev libdeflate-dev libbrotli-dev libzstd-dev)
# llvm-19 is for its llvm-ar: an older one cannot read what clang-19 writes.
packages_test=(curl wrk openssl slowhttptest nghttp2-client python3-grpcio chromium redis-server)
packages_check=(clang-format-19 clang-tidy-19 git)
packages_bench=(wrk nginx haproxy varnish util-linux openssl nghttp2-client)
packages_node=(nodejs npm ca-certificates)  # Only where no Node of 18.18 or newer is installed.

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing and this is neither root nor a machine with sudo: $*"
  fi
}

# Those of the named packages that are not installed, one a line.
missing_packages() {
  local -A installed=()
  local name status
  while read -r name status; do
    [[ $status == installed ]] && installed[$name]=1
  done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
  for name in "$@"; do
    [[ -n ${installed[$name]:-} ]] || echo "$name"
  done
}

# need PURPOSE...: installs what the purposes lack. Costs one dpkg-query when nothing is missing.
need() {
  local purpose wanted=() missing=()
  for purpose in "$@"; do
    if [[ $purpose == node ]] && has_node; then continue; fi
    local -n list="packages_$purpose"
    wanted+=("${list[@]}")
  done
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "installing from Debian: ${missing[*]}"
  install_packages "${missing[@]}"
}

has_node() {
  local ask='const [major, minor] = process.versions.node.split(".").map(Number);
             process.exit(major > 18 || (major === 18 && minor >= 18) ? 0 : 1)'
  command -v npm >/dev/null && command -v node >/dev/null && node -e "$ask"
}

# A freshly installed nginx, haproxy or Redis must not start serving on this machine: policy-rc.d(8)
# says so while we install, unless the machine has a policy of its own.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [[ " $* " =~ \ (nginx|haproxy|varnish|redis-server)\  && ! -e $policy ]]; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
    </dev/null >/dev/null
)
