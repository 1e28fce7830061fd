#!/usr/bin/env python3
"""Runs the tests that boot a host: main.py [--list] [--jobs N] [PATTERN...].

Each prints one line; a failed one also the end of its log. The last line counts them."""

import argparse
import concurrent.futures
import importlib
import os
import pkgutil
import re
import signal
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(__file__))

import cases  # noqa: E402
import machine  # noqa: E402

OUTPUT = threading.Lock()


def collect(patterns):
    """All functions test_* of the case modules, in the order of the files, then of the text."""
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules(cases.__path__)):
        members = vars(importlib.import_module('cases.' + module))
        for name, member in members.items():
            full = f'{module}.{name[5:]}'
            if name.startswith('test_') and (
                    not patterns or any(re.search(p, full) for p in patterns)):
                found.append((full, member))
    return found


def log_end(name, lines=40):
    """The last lines of every log that the test made."""
    text = []
    for file in sorted(os.listdir(machine.LOGS)) if os.path.isdir(machine.LOGS) else []:
        if file == name + '.log' or file.startswith(name + '-'):
            path = os.path.join(machine.LOGS, file)
            with open(path, errors='replace') as log:
                end = log.read().replace('\r', '').splitlines()[-lines:]
            text += [f'  {path} ends:'] + ['  | ' + line for line in end]
    return '\n'.join(text)


def run(name, test):
    """Runs one test; True if it passed."""
    start = time.monotonic()
    why = ''
    try:
        test(name)
    except machine.Failure as failure:
        why = str(failure)
    except Exception:  # A broken test is a failed one, with its trace.
        why = traceback.format_exc()
    seconds = time.monotonic() - start
    with OUTPUT:
        print(f"{'FAIL' if why else 'ok  '} {name} ({seconds:.1f} s)", flush=True)
        if why:
            print(f'  {why}\n{log_end(name)}', flush=True)
    return not why


def interrupted(*_):
    """A signal ends the machines first; they are in sessions of their own."""
    machine.kill_all()
    os._exit(1)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    parser = argparse.ArgumentParser()
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('patterns', nargs='*')
    options = parser.parse_args()
    tests = collect(options.patterns)
    if options.list:
        print('\n'.join(name for name, _ in tests))
        return 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda pair: run(*pair), tests))
    print(f'e2e: {results.count(True)} passed, {results.count(False)} failed')
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
