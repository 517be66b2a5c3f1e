# tools/test.sh: `./dev test`. Each part leaves "passed failed skipped" in build/results/PART.tally.
# Sourced by ./dev.

results=build/results

# run_ctest TREE PART [CTEST_OPTION...]: the tree's tests, each GoogleTest case counted by itself.
run_ctest() {
  local tree=build/$1 part=$2
  shift 2
  local reports
  reports=$(realpath -m "$results/$part")
  rm -rf "$reports" && mkdir -p "$reports"
  GTEST_OUTPUT="json:$reports/" GTEST_BRIEF=1 ctest --test-dir "$tree" --output-on-failure \
    --timeout 300 -j "$(nproc)" --output-junit "$reports/ctest.xml" "$@" </dev/null || true
  /usr/bin/python3 tools/tally.py ctest "$tree" "$reports" >"$results/$part.tally"
}

# Unit tests and corpora, under the address and undefined behaviour sanitizers.
run_unit_tests() {
  export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  UBSAN_OPTIONS=print_stacktrace=1 \
  ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1 \
    run_ctest asan unit
}

# The tests of the tools and of the examples' applications: run by their own runners.
run_tool_tests() {
  /usr/bin/python3 tests/e2e/run.py --tally "$results/tools.tally" \
    --pattern 'tools/*_test.py' --pattern 'bench/*_test.py' || true
}

run_example_tests() {
  [[ -e examples/quickstart/package.json ]] || return 0
  if ! npm_install examples/quickstart; then
    echo "0 1 0" >"$results/quickstart.tally"  # Counted, and the rest still runs.
    return 0
  fi
  (cd examples/quickstart && node --test --test-reporter=tap </dev/null) \
    >"$results/quickstart.tap" || cat "$results/quickstart.tap"
  /usr/bin/python3 tools/tally.py tap "$results/quickstart.tap" >"$results/quickstart.tally"
}

run_end_to_end_tests() {
  npm_install examples/nextjs || true  # Without a limit of time; nextjs_test.py says what lacks.
  /usr/bin/python3 tests/e2e/run.py --tally "$results/end_to_end.tally" \
    --pattern 'tests/e2e/*_test.py' || true
}

run_tests() {
  need build test node
  rm -rf "$results" && mkdir -p "$results"
  build_programs
  build_tests
  run_unit_tests
  run_tool_tests
  run_example_tests
  run_end_to_end_tests
  /usr/bin/python3 tools/tally.py sum "$results"/*.tally
}
