"""A booted host under test: started by ./run --headless, driven by lines, watched by patterns."""

import os
import re
import selectors
import signal
import subprocess
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.path.join(ROOT, 'build')
LOGS = os.path.join(BUILD, 'logs', 'e2e')

# No test waits by time; this only ends one that hangs. A loaded machine is slow.
GUARD = 150


class Failure(Exception):
    """A test's expectation that was not met."""


RUNNING = set()


def kill_all():
    """Ends every machine that still runs."""
    for machine in list(RUNNING):
        machine.kill()


class Machine:
    """A process whose output is kept, logged, and searched forward only."""

    def __init__(self, name, command, guard=GUARD, terminal=False):
        os.makedirs(LOGS, exist_ok=True)
        self.log_path = os.path.join(LOGS, name + '.log')
        self.log = open(self.log_path, 'wb')
        self.text = ''
        self.position = 0
        self.attached = ''
        self.deadline = time.monotonic() + guard
        if terminal:
            self.reader, end = os.openpty()
            self.writer = os.dup(self.reader)
            streams = {'stdin': end, 'stdout': end, 'stderr': end}
        else:
            streams = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE,
                       'stderr': subprocess.STDOUT}
        self.process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **streams)
        if terminal:
            os.close(end)
        else:
            self.reader = os.dup(self.process.stdout.fileno())
            self.writer = os.dup(self.process.stdin.fileno())
            self.process.stdin.close()
            self.process.stdout.close()
        RUNNING.add(self)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.reader, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        RUNNING.discard(self)
        self.close_input()
        os.close(self.reader)
        self.log.close()

    def close_input(self):
        """The end of standard input."""
        if self.writer is not None:
            os.close(self.writer)
            self.writer = None

    def kill(self):
        """Ends the process and all it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def _read(self):
        """Takes what has come; False at the end of the output."""
        left = self.deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            raise Failure('nothing more came before the guard time ran out')
        try:
            data = os.read(self.reader, 65536)
        except OSError:  # How a terminal tells that its other end is closed.
            data = b''
        self.log.write(data)
        self.log.flush()
        self.text += data.decode('utf-8', 'replace').replace('\r', '')
        return bool(data)

    def expect(self, pattern):
        """Waits for a pattern after the last one found; returns the match."""
        compiled = re.compile(pattern, re.MULTILINE)
        while True:
            match = compiled.search(self.text, self.position)
            if match:
                self.position = match.end()
                return match
            if not self._read():
                raise Failure(f'the output ended without {pattern!r}')

    def expect_all(self, *patterns):
        """Waits for each of them, in any order: that of two domains' lines is free."""
        start = end = self.position
        for pattern in patterns:
            self.position = start
            end = max(end, self.expect(pattern).end())
        self.position = end

    def send(self, text):
        """Types a line."""
        self.type(text + '\n')

    def type(self, text):
        """Types without a line's end."""
        os.write(self.writer, text.encode())

    def ask(self, command, pattern):
        """Types a command and waits for what it should say."""
        self.send(command)
        return self.expect(pattern)

    def finish(self, status=0):
        """Waits for the end and compares the exit status; returns all that was said."""
        while self._read():
            pass
        got = self.process.wait(max(1, self.deadline - time.monotonic()))
        if got != status:
            raise Failure(f'exit status {got}, expected {status}')
        return self.text

    def absent(self, pattern):
        """Fails if the pattern stands anywhere in what was said so far."""
        match = re.search(pattern, self.text, re.MULTILINE)
        if match:
            raise Failure(f'{pattern!r} must not come, but there is {match.group()!r}')


def boot(name, folder, *options, guard=GUARD):
    """Boots a host's folder headless."""
    command = [os.path.join(ROOT, 'run'), '--headless', '--timeout', str(guard), *options, folder]
    return Machine(name, command, guard + 60)


def boot_interactive(name, folder, *options, guard=GUARD):
    """Boots a host's folder at a terminal, as a person would."""
    command = [os.path.join(ROOT, 'run'), '--timeout', str(guard), *options, folder]
    return Machine(name, command, guard + 60, terminal=True)


def attach(machine, name='small', prompt=r'^\[small\] / # '):
    """Attaches to a guest's console and waits for its prompt, shown again or for the first time."""
    machine.ask(f'console {name}', r'Escape character is')
    machine.expect(prompt)


def equal(got, wanted, what):
    """Fails unless the two are the same."""
    if got != wanted:
        raise Failure(f'{what} is {got!r}, expected {wanted!r}')
