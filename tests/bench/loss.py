"""What restarts cost: the throughput of a guest whose driver domain is restarted at a steady pace,
as a part of what it has without, right before and right after, in one boot."""

import os
import socket
import statistics
import threading

import host
import machine
import outage
from guest import Guest

RATEPROBE = os.path.join(host.BUILD, 'meson', 'tests', 'bench', 'rateprobe')
# Seconds between two restarts.
PERIODS = (10, 5, 2, 1)
# Each turn is so long (seconds), and LOSS=n has n of each.
TURN = 20
TURNS = int(os.environ.get('LOSS', '2'))
LINE = r'rate at_us=(\d+) bytes=(\d+)\n'


class Peer:
    """This machine as the other end of one stream that never ends."""

    def __init__(self, sends):
        self.sends = sends
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        stream = self.listener.accept()[0]
        data = bytearray(1 << 18)
        try:
            while self.sends and stream.send(data) or stream.recv_into(data):
                pass
        except OSError:  # The machine was switched off.
            pass


def probe_line(m):
    """What the probe says next: when (us), and bytes so far."""
    at, count = m.expect(LINE).groups()
    return int(at), int(count)


def turn(m, name, period):
    """One turn: MiB/s. The probe's lines are the clock."""
    m.position = len(m.text)
    begin = now = probe_line(m)
    count = 0
    while now[0] < begin[0] + TURN * 1000000:
        if period and now[0] >= begin[0] + count * period * 1000000:
            m.ask(f'restart {name}', rf'\[control\] {name}: serves again ')
            count += 1
        now = probe_line(m)
    rate = (now[1] - begin[1]) / (now[0] - begin[0]) * 1e6 / (1 << 20)
    print(f'# {name}: {count} restarts in {TURN} s: {rate:.1f} MiB/s', flush=True)
    return rate


def listener():
    """A guest that takes what another one sends."""
    return host.domain('two', '/vmlinuz', 160, '/rate.img',
                       'console=hvc0 quiet net0=10.0.2.16/24', host.interface())


def measure(say, name, xml, device, what, probe, *options, peer=None):
    """Each period between two turns without restarts: medians of the latter and of what is lost."""
    words = 'console=hvc0 quiet' + (' net0=dhcp' if name == 'net' else '')
    small = host.domain('small', '/vmlinuz', 160, '/rate.img', words, device)
    files = {f'/{name}.xml': outage.ours(xml), '/small.xml': small}
    if peer:
        files['/two.xml'] = peer
    path = host.host('bench-loss', files, ['vmlinuz'])
    with open(RATEPROBE, 'rb') as file, open(os.path.join(path, 'rate.img'), 'wb') as out:
        out.write(host.image('net.img', {'bin/rateprobe': file.read()}))
    lost = {period: [] for period in PERIODS}
    with machine.boot(f'bench-loss-{what}', path, *options, guard=3600) as m:
        m.expect(r'^\[small\] busybox: up after ' if name == 'block' else
                 r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        if peer:
            Guest(m, 'two').run('(tail -f /dev/null | nc -l -p 9 >/dev/null) &')
            Guest(m, 'two').leave()
        shell = Guest(m, 'small')
        shell.run(f'rateprobe {probe} >/dev/console 2>&1 &')
        shell.leave()
        probe_line(m)
        plain = [turn(m, name, 0)]
        for period in PERIODS * TURNS:
            rate = turn(m, name, period)
            plain.append(turn(m, name, 0))
            lost[period].append(100 - 100 * rate / statistics.mean(plain[-2:]))
        m.send('poweroff --now')
        m.finish()
    say(f'loss_{what}_none', round(statistics.median(plain), 1), 'MiB/s')
    for period, found in lost.items():
        say(f'loss_{what}_{period}s', round(statistics.median(found), 1), '%',
            'goal 5' if period == 1 else '')
    # What does not come back, or that the machine has become slower.
    say(f'loss_{what}_after', round(100 - 100 * plain[-1] / plain[0], 1), '%', 'last turn to first')


def run(say, disk):
    """The disk, and the network each way: to and from QEMU's user network, and to another guest."""
    measure(say, 'block', host.block(), host.disk('/dev/nvme0n1'), 'disk', 'disk /dev/xvda',
            '--disk', disk)
    for what in 'send', 'receive':
        peer = Peer(what == 'receive')
        measure(say, 'net', host.net(), host.interface(), f'tcp_{what}',
                f'{what} 10.0.2.2 {peer.port}', '--nic', 'user,model=e1000e')
    measure(say, 'net', host.net(), host.interface(), 'tcp_guests', 'send 10.0.2.16 9', '--nic',
            'user,model=e1000e', peer=listener())
