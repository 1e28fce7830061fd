"""Speeds of a network: a guest behind the net domain, plain Linux with the same card on the same
emulator, and two guests beside each other."""

import contextlib
import os
import re
import socket
import subprocess

import host
import machine
from guest import Guest, answer
from wire import free_port

NETPROBE = os.path.join(host.BUILD, 'meson', 'tests', 'netprobe', 'netprobe')
# This machine, as QEMU's user network shows it.
HOST = '10.0.2.2'
SECONDS = 5
SMALL = 18
PINGS = 500


class Peer:
    """This machine as the other end: an iperf3 server, and netprobe."""

    def __init__(self):
        self.tcp = free_port(socket.SOCK_STREAM)
        self.udp = free_port()
        self.into = free_port()
        self.card = f'user,model=e1000e,hostfwd=udp:127.0.0.1:{self.into}-10.0.2.15:9'
        self.server = subprocess.Popen(['iperf3', '-s', '-p', str(self.tcp)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        """Ends the server."""
        self.server.terminate()
        self.server.wait()


def tcp(guest, address, *options):
    """Mbit/s that arrived in some seconds, and how many MB."""
    said = guest.run(f'iperf3 -c {address} -t {SECONDS} -f m {" ".join(options)}')
    moved = re.search(r'sec +([\d.]+) ([MG])Bytes +([\d.]+) Mbits/sec +receiver', said)
    return float(moved.group(3)), float(moved.group(1)) * (1024 if moved.group(2) == 'G' else 1)


def per_second(text):
    """Datagrams a second, of what netprobe count says."""
    found = re.search(r'received=(\d+) ms=(\d+)', text)
    return int(found.group(1)) * 1000 // max(1, int(found.group(2)))


def datagrams_out(guest, peer):
    """Small datagrams from a guest to this machine."""
    with subprocess.Popen([NETPROBE, 'count', str(peer.udp), '2'], text=True,
                          stdout=subprocess.PIPE) as count:
        guest.run(f'netprobe flood {HOST} {peer.udp} {SMALL} 3')
        return per_second(count.communicate()[0])


def datagrams_in(guest, peer):
    """Small datagrams from this machine to a guest."""
    guest.run('netprobe count 9 2 >/tmp/count 2>&1 &')
    with subprocess.Popen([NETPROBE, 'flood', '127.0.0.1', str(peer.into), str(SMALL), '4'],
                          stdout=subprocess.DEVNULL):
        return per_second(guest.run('wait; cat /tmp/count'))


def to_wire(guest, peer):
    """All figures of one guest and this machine."""
    port = ['-p', str(peer.tcp)]
    times = guest.values(f'netprobe times {HOST} {PINGS} 56', None)
    return {'tcp_out': tcp(guest, HOST, *port), 'tcp_in': tcp(guest, HOST, *port, '-R'),
            'udp_out': datagrams_out(guest, peer), 'udp_in': datagrams_in(guest, peer),
            'ping': times.get('median_us')}


def linux(name, words, nic):
    """A machine with plain Linux: no hypervisor, and a network card."""
    command = ['qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-cpu', 'EPYC', '-m', '512',
               '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
               '-kernel', host.BLOBS['vmlinuz'], '-initrd', host.probe_image(),
               '-append', f'console=ttyS0 quiet {words}', '-nic', nic]
    return machine.Machine(name, command)


def plain(peer):
    """The same measured without a hypervisor."""
    with linux('bench-net-plain', 'net0=dhcp', peer.card) as m:
        m.expect(r'busybox: eth0 10\.0\.2\.15\n')
        m.attached = 'plain'
        return to_wire(Guest(m, 'plain'), peer)


class Cost:
    """What some domains' counters grew by, around a block."""

    def __init__(self, m, *names):
        self.machine = m
        self.names = names
        self.exits = self.calls = 0

    def _add(self, sign):
        if self.machine.attached:
            self.machine.type('\x1d')
            self.machine.attached = ''
        for name in self.names:
            now = answer(self.machine, f'domstats {name}')[0]
            self.exits += sign * now['exits']
            self.calls += sign * now['hypercalls']

    def __enter__(self):
        self._add(-1)
        return self

    def __exit__(self, *_):
        self._add(1)


def between(m, say):
    """Two guests: speeds, and what a MB and a packet cost."""
    one, two = Guest(m, 'one'), Guest(m, 'two')
    two.run('iperf3 -s -D')
    with Cost(m, 'one', 'two', 'net') as cost:
        speed, moved = tcp(one, '10.0.2.16')
    say('guests_tcp', speed, 'Mbit/s')
    say('guests_exits_per_mb', round(cost.exits / moved, 1), '')
    say('guests_hypercalls_per_mb', round(cost.calls / moved, 1), '')
    two.run('netprobe count 9 2 >/tmp/count 2>&1 &')
    with Cost(m, 'one', 'two', 'net') as cost:
        one.run(f'netprobe flood 10.0.2.16 9 {SMALL} 3')
    said = two.run('wait; cat /tmp/count')
    packets = int(re.search(r'received=(\d+)', said).group(1))
    say('guests_udp', per_second(said), 'packets/s')
    say('guests_exits_per_packet', round(cost.exits / packets, 2), '')
    say('guests_hypercalls_per_packet', round(cost.calls / packets, 2), '')
    with Cost(m, 'one', 'two', 'net') as cost:
        times = one.values(f'netprobe times 10.0.2.16 {PINGS} 56', None)
    say('guests_ping', times.get('median_us'), 'us')
    say('guests_exits_per_ping', round(cost.exits / PINGS, 1), '')
    say('guests_hypercalls_per_ping', round(cost.calls / PINGS, 1), '')


def guests(peer, say):
    """The same behind a net domain, and between two guests of it."""
    path = host.host('bench-net', {
        '/net.xml': host.net(),
        '/one.xml': host.small('one', 'net0=dhcp', host.interface(), memory=192),
        '/two.xml': host.small('two', 'net0=10.0.2.16/24', host.interface(), memory=192),
    }, ['vmlinuz', 'probe.img'])
    with machine.boot('bench-net', path, '--nic', peer.card, guard=600) as m:
        m.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.15\n')
        one = Guest(m, 'one')
        with Cost(m, 'one', 'net') as cost:
            _, moved = tcp(one, HOST, '-p', str(peer.tcp))
        say('wire_out_exits_per_mb', round(cost.exits / moved, 1), '')
        say('wire_out_hypercalls_per_mb', round(cost.calls / moved, 1), '')
        with Cost(m, 'one', 'net') as cost:
            _, moved = tcp(one, HOST, '-p', str(peer.tcp), '-R')
        say('wire_in_exits_per_mb', round(cost.exits / moved, 1), '')
        say('wire_in_hypercalls_per_mb', round(cost.calls / moved, 1), '')
        figures = to_wire(one, peer)
        between(m, say)
        m.type('\x1d')
        m.send('poweroff')
        m.finish()
        return figures


def speeds(peer, kind):
    """Of one guest and this machine, Mbit/s out and in, with an IOMMU of that kind."""
    path = host.host('bench-net-' + kind, {
        '/net.xml': host.net(),
        '/one.xml': host.small('one', 'net0=dhcp', host.interface(), memory=192),
    }, ['vmlinuz', 'probe.img'], iommu='no')
    with machine.boot('bench-net-' + kind, path, '--iommu', kind, '--nic', peer.card) as m:
        m.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.15\n')
        one, port = Guest(m, 'one'), ['-p', str(peer.tcp)]
        figures = {'tcp_out': tcp(one, HOST, *port)[0], 'tcp_in': tcp(one, HOST, *port, '-R')[0]}
        one.leave()
        m.send('poweroff')
        m.finish()
        return figures


def run(say):
    """Every figure of the network."""
    with contextlib.closing(Peer()) as peer:
        before, behind = plain(peer), guests(peer, say)
    for key, unit in (('tcp_out', 'Mbit/s'), ('tcp_in', 'Mbit/s'), ('udp_out', 'packets/s'),
                      ('udp_in', 'packets/s'), ('ping', 'us')):
        first, second = (figures[key][0] if isinstance(figures[key], tuple) else figures[key]
                         for figures in (before, behind))
        say(f'plain_{key}', first, unit)
        say(f'guest_{key}', second, unit)
        say(f'ratio_{key}', round(second / first, 2), '')
