#!/usr/bin/env python3
"""Writes src/syscalls/table.rs from libseccomp's list of syscall numbers.

The numbers are facts of the kernel's ABI; libseccomp keeps them for all
architectures in one file, src/syscalls.csv of its source package. hack/syscalls
fetches that file and calls this:

    crates/bpf/gen/syscalls.py CSV TABLE

LATER holds what the kernel added after that list was made; from 424 on a new
syscall has one number on every architecture.
"""

import csv
import sys

LATER = {
    "open_tree_attr": 467,
    "file_getattr": 468,
    "file_setattr": 469,
    "listns": 470,
    "rseq_slice_yield": 471,
}

# A number of arm's private range (0xf0000 and up) does not fit 16 bits: see src/syscalls/mod.rs.
ABSENT = 0xFFFF
ARM_PRIVATE = 0xF0000
ARM_PRIVATE_SHORT = 0xF000


def short(text):
    if text == "PNR":
        return ABSENT
    number = int(text)
    if number >= ARM_PRIVATE:
        number = number - ARM_PRIVATE + ARM_PRIVATE_SHORT
    assert number < ABSENT, number
    return number


def read(path):
    rows = list(csv.reader(open(path, encoding="ascii")))
    head, rows = rows[0], rows[1:]
    columns = [i for i, name in enumerate(head) if i > 0 and not name.endswith("_kver")]
    table = {row[0]: [short(row[i]) for i in columns] for row in rows}
    for name, number in LATER.items():
        table.setdefault(name, [number] * len(columns))
    return head[0].removeprefix("#syscall "), [head[i] for i in columns], table


def wrapped(items, width):
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) > width:
            yield line
            line = "   "
        line += " " + item
    yield line


def write(out, version, architectures, table):
    names = sorted(table)
    starts = [0]
    for name in names:
        starts.append(starts[-1] + len(name))
    print("//! Names and numbers of all syscalls, made by `gen/syscalls.py`; do not edit.", file=out)
    print("//!", file=out)
    print(f"//! From libseccomp's list for Linux {version}, and the few that came later.\n", file=out)
    print(f"pub(super) const NAMES: u16 = {len(names)};", file=out)
    print(f"pub(super) const COUNT: usize = {len(names)};\n", file=out)
    print("/// All names, sorted, without anything between them.", file=out)
    print('pub(super) static TEXT: &str = "\\', file=out)
    for line in wrapped(names, 96):
        print(line.replace(" ", "") + "\\", file=out)
    print('";\n', file=out)
    print("/// Where each name begins in `TEXT`.", file=out)
    print("#[rustfmt::skip]", file=out)
    print("pub(super) static STARTS: [u16; COUNT + 1] = [", file=out)
    print(*wrapped([f"{s}," for s in starts], 100), sep="\n", file=out)
    print("];", file=out)
    for column, architecture in enumerate(architectures):
        numbers = [f"{table[name][column]}," for name in names]
        print(f"\n#[rustfmt::skip]\npub(super) static {architecture.upper()}: [u16; COUNT] = [", file=out)
        print(*wrapped(numbers, 100), sep="\n", file=out)
        print("];", file=out)


def main():
    with open(sys.argv[2], "w", encoding="ascii") as out:
        write(out, *read(sys.argv[1]))


main()
