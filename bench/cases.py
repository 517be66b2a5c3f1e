# bench/cases.py: what ./dev bench gateway, edge and cache do alike with their cases.
import argparse
import contextlib
import sys
import tempfile

import harness
import peers

rounds_full = 9
seconds_full = 2  # wrk counts whole seconds.
rounds_quick = 3
seconds_quick = 1


def run_case(case, rounds, seconds, progress):
    """`case` has a title, systems(folder, origin's port) and load_in(folder)."""
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder, \
            contextlib.ExitStack() as stack:
        origin = peers.origin(folder)
        stack.callback(origin.stop)
        origin.start()
        systems = case.systems(folder, origin.port)
        for system in systems:
            stack.callback(system.stop)
        return harness.run_rounds(case.title, systems, case.load_in(folder), rounds, seconds,
                                  progress)


def main(name, description, cases):
    """The command: its exit status. Each case has bars(result) as well."""
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s, not 9 of 2")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the block for docs/benchmarks.md")
    parser.add_argument("--case", default="", help="only the cases whose title has this word")
    options = parser.parse_args()
    form = "json" if options.json else "markdown" if options.markdown else "table"
    rounds = rounds_quick if options.quick else rounds_full
    seconds = seconds_quick if options.quick else seconds_full
    chosen = [case for case in cases if options.case.lower() in case.title.lower()]
    if not chosen:
        parser.error(f"no case has \"{options.case}\" in its title: "
                     + "; ".join(case.title for case in cases))
    harness.raise_descriptor_limit()
    try:
        results = [run_case(case, rounds, seconds, progress=sys.stderr.isatty())
                   for case in chosen]
    except harness.BenchError as error:
        print(f"bench {name}: {error}", file=sys.stderr)
        return 1
    bars = [bar for case, result in zip(chosen, results) for bar in case.bars(result)]
    rule = f"median of {rounds} interleaved rounds of {seconds} s"
    return harness.report([harness.machine(), *peers.versions(), rule], results, bars, form)
