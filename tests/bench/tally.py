#!/usr/bin/env python3
"""What came of injected faults: a file with one line of JSON for each, and a table of several such
files. Usage: tally.py FILE..."""

import collections
import json
import os
import sys

FATES = ('by itself', 'by time-out', 'by watchdog', 'survived', 'hung')


class Record:
    """One line for each injection, written when it is known, so that an end in the middle loses
    none. A file that is there already is gone on with."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        self.path = path
        with open(path, 'a+b') as file:
            file.seek(0)
            file.truncate(file.read().rfind(b'\n') + 1)  # A last line may be cut off.
        self.done = {key(row) for row in rows(path)}

    def add(self, domain, kind, seed, **what):
        """One injection: how the domain's life ended, what the client saw, whether others are well,
        whether the client had to be started anew."""
        row = {'domain': domain, 'kind': kind, 'seed': seed, **what}
        self.done.add(key(row))
        line = json.dumps(row)
        with open(self.path, 'a', encoding='ascii') as out:
            out.write(line + '\n')
        print('#', line, flush=True)


def key(row):
    """What tells injections of one run apart."""
    return row['domain'], row['kind'], row['seed']


def rows(path):
    """The injections of a file; a last line that is being written is none yet."""
    with open(path, encoding='ascii') as lines:
        return [json.loads(line) for line in lines if line.endswith('\n')]


def add_up(injections):
    """A count of each thing that happened, for each domain and kind."""
    table = collections.defaultdict(collections.Counter)
    for row in injections:
        counts = table[row['domain'], row['kind']]
        counts['times'] += 1
        counts[row['fate']] += 1
        counts['noticed'] += bool(row['saw'])
        counts['unharmed'] += row['others']
        counts['anew'] += row['anew']
        for word in row['saw']:
            counts['saw ' + word] += 1
    return table


def show(table):
    """As rows of a table for a page."""
    print('| domain | fault | times | ended by itself | by its time-out | by its watchdog | '
          'survived | told to restart | clients that noticed | how | started anew | '
          'others unharmed |')
    print('|---' * 12 + '|')
    for (domain, kind), counts in table.items():
        saw = ', '.join(f'{word[4:]} {counts[word]}' for word in sorted(counts)
                        if word.startswith('saw '))
        cells = [domain, kind, counts['times'], *(counts[fate] for fate in FATES),
                 counts['noticed'], saw or '-', counts['anew'], counts['unharmed']]
        print('| ' + ' | '.join(map(str, cells)) + ' |', flush=True)


if __name__ == '__main__':
    show(add_up(row for path in sys.argv[1:] for row in rows(path)))
