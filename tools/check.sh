# tools/check.sh: `./dev check`, all that looks at the code beyond running it. Sourced by ./dev.

# Modules whose objects are used from several threads: their tests run under the thread sanitizer.
threaded_modules=(telemetry runtime cache postgres server)

changes_looked_back=5  # Commits, where HEAD is what main already is: in CI on main itself.

cpp_files() { git ls-files '*.h' '*.cc'; }

check_format() { cpp_files | xargs -r clang-format-19 --dry-run -Werror; }

check_headers() {
  build_tree asan -DCMAKE_BUILD_TYPE=Debug -DSPILLWAY_SANITIZE=address,undefined -- headers_compile
}

# Sources changed since main, and those beside a changed header.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-list --max-parents=0 HEAD | tail -1)
  if [[ $base == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-list --first-parent --max-count=$((changes_looked_back + 1)) HEAD | tail -1)
  fi
  { git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h'
    git ls-files --others --exclude-standard '*.cc' '*.h'; } | sed 's/\.h$/.cc/' | sort -u |
    while read -r file; do if [[ -e $file ]]; then echo "$file"; fi; done
}

# One test per file. The fuzz canary is not part of that tree, so it has no compile command.
check_clang_tidy() {
  local files=() failed
  if [[ $1 == --all ]]; then
    mapfile -t files < <(git ls-files '*.cc')
  else
    mapfile -t files < <(changed_sources)
  fi
  mapfile -t files < <(printf '%s\n' "${files[@]}" | grep -v 'canary_fuzz\.cc$' || true)
  [[ -n ${files[*]} ]] || { echo "0 0 0" >"$results/clang_tidy.tally"; return 0; }
  rm -f "$results/clang_tidy.failed" && touch "$results/clang_tidy.failed"
  printf '%s\n' "${files[@]}" | failed=$results/clang_tidy.failed xargs -P "$(nproc)" -I{} \
    bash -c 'clang-tidy-19 -p build/asan --quiet {} 2>/dev/null || echo {} >>"$failed"'
  failed=$(wc -l <"$results/clang_tidy.failed")
  echo "$((${#files[@]} - failed)) $failed 0" >"$results/clang_tidy.tally"
  [[ $failed -eq 0 ]]
}

# Known defects, compiled in one at a time: the simulator has to notice each.
check_mutations() { sim --mutations; }

check_threads() {
  local module targets=() names
  for module in "${threaded_modules[@]}"; do
    if compgen -G "src/$module/*_test.cc" >/dev/null; then targets+=("${module}_test"); fi
  done
  build_tree tsan -DCMAKE_BUILD_TYPE=Debug -DSPILLWAY_SANITIZE=thread -- "${targets[@]}"
  names=$(IFS='|' && echo "${threaded_modules[*]}")
  TSAN_OPTIONS=second_deadlock_stack=1 run_ctest tsan threads --tests-regex "^($names)\$"
}

# A fuzzer with a planted bug must fail, and because of that bug: else our harness sees nothing.
check_canary() {
  local seconds=60 log=$results/canary.log
  build_fuzzers canary_fuzz
  if build/fuzz/tests/canary_fuzz -max_total_time=$seconds -seed=1 -artifact_prefix="$results/" \
    >"$log" 2>&1; then
    echo "the planted bug was not found in $seconds s" >&2
    return 1
  fi
  grep -q 'AddressSanitizer: heap-buffer-overflow' "$log" || { tail -20 "$log" >&2; return 1; }
}

# stage NAME COMMAND...: prints its minutes, and leaves NAME.tally unless the command wrote its own.
stage() {
  local name=$1 begin=$SECONDS status=0 tally=$results/$1.tally
  shift
  echo "== $name"
  set +e  # Not `|| status=$?`: that would switch errexit off inside as well.
  (set -e; "$@")
  status=$?
  set -e
  if [[ ! -e $tally ]]; then
    if [[ $status -eq 0 ]]; then echo "1 0 0" >"$tally"; else echo "0 1 0" >"$tally"; fi
  fi
  local seconds=$((SECONDS - begin)) word=passed
  read -r _ failed _ <"$tally"
  if [[ $failed -ne 0 ]]; then word=FAILED; fi
  printf '== %s %s, %d.%d minutes\n' "$name" "$word" $((seconds / 60)) $((seconds % 60 * 10 / 60))
}

run_check() {
  local scope=${1:-changed}
  [[ $scope == changed || $scope == --all ]] || die "check takes --all or nothing, not $scope"
  need build check
  export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  rm -rf "$results" && mkdir -p "$results"
  stage format check_format
  stage tidy /usr/bin/python3 tools/tidy.py
  stage build build_tests
  stage headers check_headers
  stage clang_tidy check_clang_tidy "$scope"
  stage threads check_threads
  stage mutations check_mutations
  stage canary check_canary
  /usr/bin/python3 tools/tally.py sum "$results"/*.tally
}
