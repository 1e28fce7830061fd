#!/usr/bin/env python3
"""Checks the models with spin: what must hold holds, and who breaks a rule is found out.

Usage: model.py ROOT BUILD [--deep] [PATTERN]   Output: TAP. --deep: larger models too (minutes).
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

# Must hold: model, what is tried, how it is searched.
HOLDS = [
    ('blk', 'two slots, two deaths', 'SLOTS=2 REQUESTS=3 DEATHS=2', 'safety'),
    ('blk', 'four slots', 'SLOTS=4 REQUESTS=3 DEATHS=1', 'safety'),
    ('blk', 'two sectors, two deaths', 'SECTORS=2 REQUESTS=2 DEATHS=2', 'safety'),
    ('blk', 'kept grants, fewer jobs than slots', 'JOBS=1 PERSISTENT=1 REQUESTS=3 DEATHS=1',
     'safety'),
    ('blk', 'comes to an end', 'REQUESTS=2 DEATHS=1', 'end'),
    ('net_tx', 'two deaths', 'PACKETS=2 DEATHS=2', 'safety'),
    ('net_tx', 'fewer jobs than packets', 'JOBS=1 PACKETS=3 DEATHS=1', 'safety'),
    ('net_tx', 'comes to an end', 'PACKETS=2 DEATHS=1', 'end'),
    ('net_rx', 'two deaths', 'FRAMES=2 DEATHS=2', 'safety'),
    ('net_rx', 'comes to an end', 'FRAMES=2 DEATHS=1', 'end'),
]

# The same, for whoever has time.
DEEP = [
    ('blk', 'three deaths', 'REQUESTS=3 DEATHS=3', 'safety'),
    ('blk', 'four requests', 'REQUESTS=4 DEATHS=1', 'safety'),
    ('blk', 'four requests, two sectors', 'SECTORS=2 REQUESTS=3 DEATHS=1', 'safety'),
    ('blk', 'four slots, two jobs', 'SLOTS=4 JOBS=2 REQUESTS=3 DEATHS=1', 'safety'),
    ('blk', 'comes to an end, larger', 'REQUESTS=3 DEATHS=2', 'end'),
    ('net_tx', 'three packets, two deaths', 'PACKETS=3 DEATHS=2', 'safety'),
    ('net_tx', 'four packets', 'PACKETS=4 DEATHS=1', 'safety'),
    ('net_tx', 'eight slots', 'SLOTS=8 PACKETS=3 DEATHS=2', 'safety'),
    ('net_tx', 'comes to an end, larger', 'PACKETS=3 DEATHS=2', 'end'),
    ('net_rx', 'three frames', 'FRAMES=3 DEATHS=1', 'safety'),
    ('net_rx', 'three frames, two deaths', 'FRAMES=3 DEATHS=2', 'safety'),
    ('net_rx', 'comes to an end, larger', 'FRAMES=3 DEATHS=1', 'end'),
]

WRONG = 'assertion violated'  # somebody saw what must not be
STUCK = 'invalid end state'  # a request is never answered
LEFT = 'assertion violated ((taken==rsp_prod)&&(waiting==0))'  # all sleep, something is left
ENDLESS = 'non-progress cycle'  # somebody works for ever

# Must be found: model, mutant, what is seen, what is tried.
MUTANTS = [
    ('blk', 'TAG_FIRST', WRONG, ''),
    ('blk', 'NO_RECORD', WRONG, ''),
    ('blk', 'ANY_RECORD', WRONG, ''),
    ('blk', 'RECORD_LATE', WRONG, ''),
    ('blk', 'INDEX_FIRST', WRONG, ''),
    ('blk', 'BODIES_BATCHED', WRONG, ''),
    ('blk', 'ANY_ORDER', WRONG, ''),
    ('blk', 'NO_RESET', WRONG, ''),
    ('blk', 'UNMAPPED_LATE', WRONG, ''),
    ('blk', 'FLUSH_AT_ONCE', WRONG, ''),
    ('blk', 'NO_LAST_LOOK', STUCK, ''),
    ('blk', 'NO_BARRIER', STUCK, ''),
    ('blk', 'NO_EVENT', STUCK, ''),
    ('blk', 'EVENT_KEPT', STUCK, ''),
    ('blk', 'NO_REPLAY', STUCK, ''),
    ('blk', 'RESTLESS', ENDLESS, ''),
    ('net_tx', 'TAG_FIRST', WRONG, ''),
    ('net_tx', 'NO_RECORD', WRONG, ''),
    ('net_tx', 'RECORD_LATE', WRONG, ''),
    ('net_tx', 'INDEX_FIRST', WRONG, ''),
    ('net_tx', 'SLOT_BY_SLOT', WRONG, ''),
    ('net_tx', 'EXTRA_ANSWERED', WRONG, ''),
    ('net_tx', 'EXTRAS_LOST', WRONG, ''),
    ('net_tx', 'NO_LAST_LOOK', STUCK, ''),
    ('net_tx', 'NO_BARRIER', STUCK, ''),
    ('net_tx', 'NO_EVENT', STUCK, ''),
    ('net_tx', 'QUIET_FOR_EVER', STUCK, ''),
    ('net_tx', 'NO_LOOK_ROOM', STUCK, 'JOBS=1'),
    ('net_tx', 'RESTLESS', ENDLESS, ''),
    ('net_rx', 'TAG_FIRST', WRONG, ''),
    ('net_rx', 'NO_RECORD', WRONG, ''),
    ('net_rx', 'RECORD_LATE', WRONG, ''),
    ('net_rx', 'INDEX_FIRST', WRONG, ''),
    ('net_rx', 'SLOT_BY_SLOT', WRONG, ''),
    ('net_rx', 'IDS_LOST', WRONG, ''),
    ('net_rx', 'GOOD_AGAIN', WRONG, ''),
    ('net_rx', 'NO_LAST_LOOK', LEFT, ''),
    ('net_rx', 'NO_BARRIER', LEFT, ''),
    ('net_rx', 'NO_EVENT', LEFT, ''),
    ('net_rx', 'TOO_MANY', LEFT, ''),
    ('net_rx', 'RESTLESS', ENDLESS, ''),
]
MUTANT_TRIES = 'REQUESTS=2 PACKETS=2 FRAMES=2 DEATHS=1 '

# How pan is built. That there is no cycle at all is what "end" looks for: no step is progress.
SEARCHES = {
    'safety': (['-DSAFETY'], []),
    'end': (['-DNP'], ['-l']),
}
PAN_FLAGS = ['-w', '-DNOFAIR', '-DVECTORSZ=512']
# No search may be cut short by either.
PAN_LIMITS = ['-m100000', '-w22']

# Names in brackets that are none of ours: what stock front ends are made of.
STOCK = re.compile(r'^(blkif_|xennet_|RING_)')


def run(where, *command):
    return subprocess.run(command, cwd=where, text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def search(root, where, model, tries, how, optimise):
    """What pan says of one model, or why there is no pan."""
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    macros = ['-D' + word for word in tries.split()]
    out = run(where, 'spin', '-a', *macros, os.path.join(root, 'tests/model', model + '.pml'))
    if os.path.exists(os.path.join(where, 'pan.c')):
        flags, options = SEARCHES[how]
        out += run(where, 'gcc', optimise, *PAN_FLAGS, *flags, 'pan.c', '-o', 'pan')
    if os.path.exists(os.path.join(where, 'pan')):
        out += run(where, './pan', *PAN_LIMITS, *options)
        os.remove(os.path.join(where, 'pan'))
    return out


def is_complete(out):
    return 'errors: ' in out and not re.search(r'max search depth|out of memory|aborted', out)


def holds(root, build, model, label, tries, how):
    name = f'{model}: {label}'
    out = search(root, os.path.join(build, name_of(name)), model, tries, how, '-O1')
    # A statement that nothing reaches proves nothing.
    dead = [line for line in re.findall(r'^\t\S+:\d+, state \d+, .*', out, re.MULTILINE)
            if not line.endswith('"-end-"')]
    good = is_complete(out) and 'errors: 0' in out and not dead
    states = re.search(r'(\d+) states, stored', out)
    return f'{name}, {states[1] if states else 0} states', good, out


def misses(root, build, model, mutant, seen, tries):
    name = f'{model}: {mutant} is found out'
    how = 'end' if seen == ENDLESS else 'safety'
    # The last one given counts, as for a compiler.
    out = search(root, os.path.join(build, f'{model}-{mutant}'), model,
                 f'{MUTANT_TRIES}{tries} MUTANT={mutant}', how, '-O0')
    # All asleep with something left is not what another mutant is to be found by.
    good = seen in out and (seen == LEFT or LEFT not in out)
    return name, is_complete(out) and good and 'errors: 1' in out, out


def name_of(label):
    return re.sub(r'[^a-z0-9]+', '-', label.lower())


def source_text(root):
    for folder in ('libs', 'driverdom', 'hypervisor'):
        for where, _, files in os.walk(os.path.join(root, folder)):
            for file in files:
                if file.endswith(('.c', '.h')):
                    with open(os.path.join(where, file), encoding='utf-8') as text:
                        yield text.read()


def named(root, _build):
    """Every function that a model says it stands for is one."""
    folder = os.path.join(root, 'tests/model')
    names = set()
    for file in os.listdir(folder):
        if file.endswith('.pml'):
            with open(os.path.join(folder, file), encoding='utf-8') as text:
                for comment in re.findall(r'/\*.*?\*/', text.read(), re.DOTALL):
                    for group in re.findall(r'\[([A-Za-z_0-9, \n*]+)\]', comment):
                        names.update(re.findall(r'\w+', group))
    code = '\n'.join(source_text(root))
    unknown = sorted(name for name in names
                     if not STOCK.match(name) and not re.search(rf'\b{name}\(', code))
    return 'the functions that models name', bool(names) and not unknown, ' '.join(unknown)


def main():
    words = [word for word in sys.argv[1:] if word != '--deep']
    root, build = os.path.abspath(words[0]), os.path.abspath(words[1])
    pattern = words[2] if len(words) > 2 else ''
    rows = HOLDS + (DEEP if '--deep' in sys.argv else [])
    checks = [(holds, *row) for row in rows] + [(misses, *row) for row in MUTANTS]
    checks = [check for check in checks if pattern in ' '.join(check[1:])]
    checks.append((named,))
    all_good = True
    print(f'1..{len(checks)}')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check[0], root, build, *check[1:]) for check in checks]
        for number, job in enumerate(jobs, 1):
            name, good, out = job.result()
            all_good = all_good and good
            if not good:
                print('\n'.join('# ' + line for line in out.splitlines()[-40:]))
            print(f'{"ok" if good else "not ok"} {number} - {name}', flush=True)
    return 0 if all_good else 1


sys.exit(main())
