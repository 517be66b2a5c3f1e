# bench/train.py: `./dev bench train`, which branches the hot path takes, for the compiler.
"""usage: ./dev bench train

Runs a counting build of the program under the loads of ./dev bench gateway and edge, and writes
cmake/hot_path.proftext, by which release builds are laid out. To be run after the hot path has
changed, and committed with it."""
import argparse
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

import edge
import gateway
import harness
import peers

program = harness.root / "build" / "profile" / "src" / "cli" / "spillway"
result = harness.root / "cmake" / "hot_path.proftext"
seconds = 3
# A function none of whose branches was taken so often has no part in the hot path.
count_min = 10_000


def hot_functions(text):
    """Of a profile in llvm-profdata's text form, the functions worth keeping, in their order."""
    lines = text.strip().split("\n")
    notes = list(itertools.takewhile(lambda line: line.startswith((":", "#")), lines))
    functions = "\n".join(lines[len(notes):]).split("\n\n")
    hot = [function for function in functions if max(counts_of(function)) >= count_min]
    return "\n".join([*notes, "\n\n".join(hot), ""])


def counts_of(function):
    lines = iter(function.split("\n"))
    for line in lines:
        if line == "# Counter Values:":
            break
    counts = [0]
    for line in lines:
        if not line.isdigit():
            break
        counts.append(int(line))
    return counts


def run_load(title, system, load):
    system.command[0] = str(program)
    system.start()
    try:
        sample = harness.measure(system, load, seconds)
    finally:
        system.stop()
    if sample.errors:
        raise harness.BenchError(f"{title}: {sample.errors}")
    print(f"{title}: {sample.rate:,.0f} requests/s", flush=True)


def run_loads(folder):
    os.environ["LLVM_PROFILE_FILE"] = str(pathlib.Path(folder) / "%p.profraw")
    origin = peers.origin(folder)
    origin.start()
    try:
        for case in gateway.cases:
            run_load(case.title, peers.spillway(folder, origin.port),
                     harness.Load(case.path, case.clients))
        for case in edge.cases:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                systems = {system.name: system for system in case.systems(own, origin.port)}
                run_load(case.title, systems["spillway"], case.load_in(own))
    finally:
        origin.stop()


def main():
    argparse.ArgumentParser(prog="./dev bench train", description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    harness.raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder:
        try:
            run_loads(folder)
        except harness.BenchError as error:
            print(f"bench train: {error}", file=sys.stderr)
            return 1
        counted = sorted(pathlib.Path(folder).glob("*.profraw"))
        text = subprocess.run(["llvm-profdata-19", "merge", "--sparse", "--text", "-o", "-",
                               *counted], stdout=subprocess.PIPE, text=True, check=True).stdout
    kept = hot_functions(text)
    functions = kept.count("# Func Hash:")
    if functions == 0:
        print(f"bench train: no branch was taken {count_min:,} times; is this machine busy?",
              file=sys.stderr)
        return 1
    result.write_text(kept)
    print(f"{result.relative_to(harness.root)}: {functions} functions; "
          "./dev build compiles by it from now on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
