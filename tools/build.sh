# tools/build.sh: configures and builds the trees under build/. Sourced by ./dev.

# Objects of one clone serve every other: paths below this folder do not count.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true

compiler_options=(-DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

# build_tree NAME CMAKE_OPTION... -- TARGET...: build/NAME, configured on its first use.
build_tree() {
  local tree=build/$1 options=()
  shift
  while [[ $# -gt 0 && $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  if [[ ! -e $tree/build.ninja ]]; then
    cmake -S . -B "$tree" -G Ninja --log-level=WARNING "${compiler_options[@]}" "${options[@]}" \
      >/dev/null
  fi
  ninja -C "$tree" --quiet "$@"
}

# build TARGET...: of the release tree.
build() { build_tree release -DCMAKE_BUILD_TYPE=Release -- "$@"; }

# The program and nothing else; src/cli's CMake call puts it at build/spillway.
build_program() {
  [[ -e src/cli/main.cc ]] || die "this tree has no program yet: src/cli/main.cc is missing"
  build spillway
}

# The programs that end-to-end tests and benchmarks run.
build_programs() { build programs; }

# The program that counts which branches it takes, at build/profile/src/cli/spillway.
build_counting() {
  build_tree profile -DCMAKE_BUILD_TYPE=Release -DSPILLWAY_MAKE_PROFILE=ON -- spillway
}

build_mutations() {
  build_tree asan -DCMAKE_BUILD_TYPE=Debug -DSPILLWAY_SANITIZE=address,undefined \
    -- spillway_sim_mutated
}

# Unit tests, fuzzers as replayers, micro-benchmarks: with the sanitizers that find most.
build_tests() {
  build_tree asan -DCMAKE_BUILD_TYPE=Debug -DSPILLWAY_SANITIZE=address,undefined -- all
}

build_fuzzers() {
  build_tree fuzz -DCMAKE_BUILD_TYPE=Debug -DSPILLWAY_FUZZ=ON \
    -DSPILLWAY_SANITIZE=address,undefined -- "$@"
}

# Names as `./dev fuzz` takes them: request_parser for src/http/request_parser_fuzz.cc.
list_fuzzers() {
  find src -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz\.cc$//' | sort
}

# New inputs go to build/fuzz-found/NAME; those worth keeping are copied to tests/corpus by hand.
fuzz_one() {
  local name=$1 seconds=$2 found=build/fuzz-found/$1 corpus=tests/corpus/$1 program
  [[ -d $corpus ]] || die "fuzz $name: $corpus is missing; put a first input there"
  build_fuzzers "${name}_fuzz"
  mkdir -p "$found"
  program=$(find build/fuzz -type f -name "${name}_fuzz" -perm -u+x)
  echo "fuzzing $name for $seconds s"
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/" "$found" "$corpus"
}

# The modules of an example, unless they are there and as new as its lock file.
npm_install() {
  local folder=$1
  [[ -e $folder/package.json ]] || return 0
  local mark=$folder/node_modules/.package-lock.json
  if [[ ! -e $mark || $folder/package-lock.json -nt $mark ]]; then
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error </dev/null && touch "$mark"
  fi
}
