"""Small guests under test: commands typed at their shells, one guest attached at a time."""

import itertools
import json
import re

from machine import Failure

NUMBERS = itertools.count(1)


class Guest:
    """A guest whose console has a shell."""

    def __init__(self, machine, name):
        self.machine = machine
        self.name = name

    def _attach(self):
        if self.machine.attached == self.name:
            return
        self.leave()
        self.machine.ask(f'console {self.name}', 'Escape character is')
        self.machine.attached = self.name

    def leave(self):
        """Back to the control prompt, if this machine's terminal is at a guest."""
        if self.machine.attached:
            self.machine.type('\x1d')
            self.machine.attached = ''

    def run(self, command, status=0):
        """Runs a command and returns what it said; fails if its status is another."""
        # A console shows again what was said before, so each command has marks of its own.
        mark = next(NUMBERS)
        self._attach()
        end = '' if command.endswith('&') else ';'
        self.machine.send(f'echo "begin-{mark}"; {command}{end} echo "end-{mark}-$?"')
        self.machine.expect(rf'^(\[{self.name}\] )?begin-{mark}$')
        found = self.machine.expect(rf'(?s)\n(.*?)(\[{self.name}\] )?end-{mark}-(\d+)\n')
        # What others say meanwhile has their names in front.
        own = f'[{self.name}] '
        said = '\n'.join(line.removeprefix(own) for line in found.group(1).splitlines()
                         if line.startswith(own) or not re.match(r'\[[\w.-]+\] ', line)).strip()
        if status is not None and int(found.group(3)) != status:
            raise Failure(f'{self.name}: {command}: status {found.group(3)}: {said}')
        return said

    def values(self, command, status=0):
        """Runs a command and returns the NAME=NUMBER words it said."""
        return {name: int(value)
                for name, value in re.findall(r'(\w+)=(\d+)\b', self.run(command, status))}


def answer(machine, command):
    """What the control prompt answers in JSON."""
    text = machine.ask(command + ' --json', r'(?s)^\[control\] [\[{]$.*?^\[control\] [\]}]$').group()
    return json.loads(''.join(line[10:] for line in text.splitlines()
                              if line.startswith('[control] ')))


def counters(guest, interface):
    """An interface's counters; the terminal goes back to the prompt first."""
    guest.leave()
    return answer(guest.machine, f'domifstat {guest.name} {interface}')
