"""What restarts cost: the throughput of a guest whose driver domain is restarted at a steady pace,
as a part of what it has without, right before and right after, in one boot."""

import os
import socket
import statistics
import threading

import host
import machine
import net
import outage
from guest import Guest
from wire import free_port

RATEPROBE = os.path.join(host.BUILD, 'meson', 'tests', 'bench', 'rateprobe')
# Seconds between two restarts.
PERIODS = (10, 5, 2, 1)
# Each turn is so long (seconds), and LOSS=n has n of each.
TURN = 20
TURNS = int(os.environ.get('LOSS', '2'))
# The guest with an interface.
UP = (r'^\[small\] .*busybox: net0 10\.0\.2\.15',)
LINE = r'rate at_us=(\d+) bytes=(\d+)\n'


# What takes a stream, and what sends one, at the other end.
SINK = '(tail -f /dev/null | nc -l -p 9 >/dev/null) &'
SOURCE = '(nc -l -p 9 </dev/zero >/dev/null) &'


class Source:
    """This machine, behind QEMU's user network, as the sender of one stream that never ends."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        stream_out = self.listener.accept()[0]
        data = bytes(1 << 18)
        try:
            while stream_out.send(data):
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


def measure(say, name, xml, device, what, probe, *options, up=UP, more=(), begin=None,
            periods=PERIODS):
    """Each period between two turns without restarts: medians of the latter and of what is lost.
    `up` is what the guests say then, `more` are those beside the one with the probe, and `begin` is
    done before that starts."""
    words = 'console=hvc0 quiet' + (' net0=10.0.2.15/24' if name == 'net' else '')
    small = host.domain('small', '/vmlinuz', 160, '/rate.img', words, device)
    path = host.host('bench-loss', {f'/{name}.xml': outage.ours(xml), '/small.xml': small,
                                    **dict(more)}, ['vmlinuz'])
    with open(RATEPROBE, 'rb') as file, open(os.path.join(path, 'rate.img'), 'wb') as out:
        out.write(host.image('net.img', {'bin/rateprobe': file.read()}))
    lost = {period: [] for period in periods}
    with machine.boot(f'bench-loss-{what}', path, *options, guard=3600) as m:
        m.expect_all(*up)
        if begin:
            begin(m)
        shell = Guest(m, 'small')
        shell.run(f'rateprobe {probe} >/dev/console 2>&1 &')
        shell.leave()
        probe_line(m)
        plain = [turn(m, name, 0)]
        for period in periods * TURNS:
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


def stream(say, what, probe, nic, **more):
    """A guest with an interface, and a stream."""
    measure(say, 'net', host.net(), host.interface(), f'tcp_{what}', probe, '--nic', nic, **more)


def with_linux(say, what, other):
    """To or from a machine with plain Linux at the other end of the cable."""
    port = free_port(socket.SOCK_STREAM)
    with net.linux('bench-loss-peer', 'net0=10.0.2.2/24',
                   f'socket,listen=127.0.0.1:{port},model=e1000e') as peer:
        peer.expect(r'busybox: net0 10\.0\.2\.2\n')
        peer.attached = 'plain'
        Guest(peer, 'plain').run(other)
        stream(say, what, f'{what} 10.0.2.2 9', f'socket,connect=127.0.0.1:{port},model=e1000e')


def with_guest(say):
    """From one guest to another."""
    other = host.domain('two', '/vmlinuz', 160, '/rate.img',
                        'console=hvc0 quiet net0=10.0.2.16/24', host.interface())

    def begin(m):
        Guest(m, 'two').run(SINK)
        Guest(m, 'two').leave()

    stream(say, 'guests', 'send 10.0.2.16 9', 'user,model=e1000e', more={'/two.xml': other}.items(),
           up=(*UP, r'^\[two\] .*busybox: net0 10\.0\.2\.16'), begin=begin)


def run(say, disk):
    """The disk, and the network: to and from another machine with Linux, to another guest, and
    from QEMU's user network, whose TCP is simpler."""
    measure(say, 'block', host.block(), host.disk('/dev/nvme0n1'), 'disk', 'disk /dev/xvda',
            '--disk', disk, up=[r'^\[small\] busybox: up after '])
    with_linux(say, 'send', SINK)
    with_linux(say, 'receive', SOURCE)
    with_guest(say)
    source = Source()
    stream(say, 'user', f'receive 10.0.2.2 {source.port}', 'user,model=e1000e', periods=(10, 1))
