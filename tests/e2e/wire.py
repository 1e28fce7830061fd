"""The other end of a machine's network cable: every Ethernet frame is a datagram of QEMU's."""

import socket
import threading
import time

from machine import Failure

# Nothing waits this long but for a frame that does not come.
GUARD = 60


def free_port(kind=socket.SOCK_DGRAM):
    """A port that nobody has now, of UDP if not of TCP."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Wire:
    """Takes all frames that come and keeps them; sends what it is told to."""

    def __init__(self, model='e1000e'):
        self.machine_port = free_port()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(('127.0.0.1', 0))
        self.model = model
        self.frames = []
        self.came = threading.Condition()
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.sendto(b'', self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def nic(self):
        """What ./run --nic wants."""
        port = self.socket.getsockname()[1]
        return (f'socket,udp=127.0.0.1:{port},localaddr=127.0.0.1:{self.machine_port},'
                f'model={self.model}')

    def _receive(self):
        while True:
            frame = self.socket.recv(65536)
            if not frame:
                return
            with self.came:
                self.frames.append(frame)
                self.came.notify_all()

    def send(self, frame):
        """Sends a frame into the machine; a short one is made as long as Ethernet wants it."""
        self.socket.sendto(frame.ljust(60, b'\0'), ('127.0.0.1', self.machine_port))

    def count(self, start):
        """How many frames that begin so have come."""
        with self.came:
            return sum(frame.startswith(start) for frame in self.frames)

    def wait(self, start, count=1):
        """Waits until so many frames have come that begin so; returns the last of them."""
        end = time.monotonic() + GUARD
        with self.came:
            while True:
                found = [frame for frame in self.frames if frame.startswith(start)]
                if len(found) >= count:
                    return found[-1]
                if not self.came.wait(end - time.monotonic()):
                    raise Failure(f'{len(found)} frames {start.hex()} on the wire, '
                                  f'{count} expected')


def mac(text):
    """An address as bytes."""
    return bytes.fromhex(text.replace(':', ''))


def ethernet(to, source, kind, payload=b'', tag=None):
    """A frame, with a VLAN's tag if there is one."""
    between = b'' if tag is None else b'\x81\x00' + tag.to_bytes(2, 'big')
    return mac(to) + mac(source) + between + kind.to_bytes(2, 'big') + payload
