# bench/cache_policy.py: `./dev bench cache_policy FILE...`, hit ratios of the memory cache.
"""usage: ./dev bench cache_policy [--json] [--percent P]... FILE...

Hit ratios of Spillway's own memory cache on traces of requests, beside LRU, SIEVE, S3-FIFO,
W-TinyLFU and the optimum that knows what comes. FILE has "key size" a line, and may be compressed
(.xz, .gz). The cache is P percent of the distinct keys (1, 5 and 10 if not said), or of their bytes
where sizes are not all 1. With --json one object a line, with the trace's name in "trace" where
there are several files. The exit status is 1 if Spillway is more than a point behind the best of
the four that do not know what comes."""
import argparse
import gzip
import json
import lzma
import pathlib
import subprocess
import sys

program = pathlib.Path(__file__).resolve().parent.parent / "build/release/bench/cache_policy"
others = ["lru", "sieve", "s3fifo", "wtinylfu"]
behind_max = 0.01


def open_trace(path):
    if path.suffix == ".xz":
        return lzma.open(path)
    return gzip.open(path) if path.suffix == ".gz" else open(path, "rb")


def measure(path, percents):
    with open_trace(path) as trace:
        done = subprocess.run([program, *map(str, percents)], input=trace.read(),
                              stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{path}: is no trace that can be measured")
    return [json.loads(line) for line in done.stdout.splitlines()]


def lead(row):
    """Of Spillway over the best of the others, in points."""
    return row["spillway"] - max(row[name] for name in others)


def table(rows):
    heads = ["trace", "percent", "objects", "spillway", *others, "belady", "lead"]
    lines = [heads] + [
        [row["trace"], f"{row['percent']:g}", f"{row['objects']:,}",
         *(f"{100 * row[name]:.2f}" for name in ["spillway", *others, "belady"]),
         f"{100 * lead(row):+.2f}"] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths)))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n")[0].removeprefix("usage: "),
                                     description=__doc__.partition("\n\n")[2])
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--percent", action="append", type=float)
    options = parser.parse_args()
    percents = options.percent or [1, 5, 10]
    if not all(0 < percent <= 100 for percent in percents):
        parser.error("--percent: expected more than 0 and at most 100")
    rows = []
    for path in options.files:
        if not path.is_file():
            parser.error(f"{path}: no such file")
        for row in measure(path, percents):
            if len(options.files) > 1 or not options.json:
                row = {"trace": path.name, **row}
            rows.append(row)
            if options.json:
                print(json.dumps(row), flush=True)
    if not options.json:
        table(rows)
    return 0 if all(lead(row) >= -behind_max for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
