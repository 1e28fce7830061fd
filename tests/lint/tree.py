#!/usr/bin/env python3
"""The tree's own rules: what may stand at the root, how long a file may be, what must have a fuzz
target, how large the core may grow. Usage: tree.py ROOT"""

import os
import re
import subprocess
import sys

ROOT_NAMES = set('''.ci .clang-format .clang-tidy .editorconfig .gitattributes .gitignore LICENSE
    README.md bench docs driverdom hypervisor libs meson.build meson_options.txt run stubdom test
    tests toolstack'''.split())
LINES_MAX = 600
CORE_LINES_MAX = 12000
problems = []


def lines_of(path):
    """The lines of a text file, read forgivingly."""
    with open(path, encoding='utf-8', errors='replace') as text:
        return text.read().splitlines()


def code_lines(path):
    """How many lines are neither blank nor comment."""
    text = '\n'.join(lines_of(path))
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith('//'))


def check_root(files):
    for name in sorted({file.split('/')[0] for file in files} - ROOT_NAMES):
        problems.append(f'{name}: has no place at the root')


def check_length(files):
    for file in files:
        if file.endswith(('.c', '.h', '.S', '.sh', '.py')) or file in ('run', 'test'):
            count = len(lines_of(file))
            if count > LINES_MAX:
                problems.append(f'{file}: {count} lines, more than {LINES_MAX}: split it')


def check_first_line(files):
    """A header says what it is in its first line."""
    for file in files:
        if file.endswith('.h') and not lines_of(file)[0].startswith('/*'):
            problems.append(f'{file}:1: say in one comment what this header is')


def check_core_size(files):
    total = sum(code_lines(file) for file in files
                if file.startswith('hypervisor/') and file.endswith(('.c', '.h', '.S'))
                and not os.path.basename(file).startswith(('test_', 'fuzz_', 'fake_', 'moves')))
    print(f'the core has {total} lines of code')
    if total > CORE_LINES_MAX:
        problems.append(f'hypervisor: {total} lines of code, more than {CORE_LINES_MAX}')


def check_fuzzed(files):
    """Whoever reads shared memory has a fuzz target beside it."""
    for folder in sorted({os.path.dirname(file) for file in files if file.startswith('libs/')}):
        sources = [file for file in files if os.path.dirname(file) == folder]
        reads = any('shm.h>' in line or '"shm.h"' in line for file in sources
                    if file.endswith('.c') and '/test_' not in file for line in lines_of(file))
        if reads and folder != 'libs/shm' and not any('/fuzz_' in file for file in sources):
            problems.append(f'{folder}: reads shared memory and has no fuzz target')


def main():
    os.chdir(sys.argv[1])
    listed = subprocess.run(['git', 'ls-files', '-z'], check=True, capture_output=True, text=True)
    files = [file for file in listed.stdout.split('\0') if os.path.isfile(file)]
    for check in (check_root, check_length, check_first_line, check_core_size, check_fuzzed):
        check(files)
    print('\n'.join(problems))
    return 1 if problems else 0


sys.exit(main())
