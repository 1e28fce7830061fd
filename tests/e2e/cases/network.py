"""Guests on one bridge of a net domain: every size, offloads, downloads, floods, limits."""

import re

from guest import Guest
from host import host, interface, net, small
from machine import Failure, boot, equal
from pages import Pages

BLOBS = ['vmlinuz', 'probe.img']
USER = ('--nic', 'user,model=e1000e')
MEMORY = ('--memory', '1536')
# What a stock guest can switch, and has on at first.
OFFLOADS = ('tso', 'tx', 'gso', 'gro', 'sg')
TRANSFER_MIB = 200
RECONNECTS = 20
# Of a datagram, and what stands before it in a frame.
DATAGRAM = 1400
HEADERS = 14 + 20 + 8


def up(machine, count):
    """Waits until so many interfaces of guests have the address that was asked for; the list."""
    return [machine.expect(r'^\[\w+\] .*busybox: (?:net|eth)\d+ ([\d.]+)\n').group(1)
            for _ in range(count)]


def sizes(guest, kind, address):
    """Echoes of every size; none may be lost or changed."""
    got = guest.values(f'netprobe sizes {kind} {address}', None)
    if not got.get('tried') or got['good'] != got['tried']:
        raise Failure(f'{guest.name}: echoes by {kind} to {address}: {got}')


def iperf(guest, address, *options, seconds=2):
    """TCP for some seconds; bits a second that arrived."""
    said = guest.run(f'iperf3 -c {address} -t {seconds} -f k {" ".join(options)}')
    found = re.search(r'([\d.]+) Kbits/sec +receiver', said)
    if not found or float(found.group(1)) == 0:
        raise Failure(f'{guest.name}: nothing arrived: {said}')
    return 1000 * float(found.group(1))


def fetch(guest, address, wanted):
    """A file by HTTP from another guest, compared by hash."""
    got = guest.run(f'wget -q -O - http://{address}/file | md5sum').split()[0]
    equal(got, wanted, f'the hash of what {guest.name} got from {address}')


def serve_file(guest, mib):
    """Makes a guest serve a random file; its hash."""
    guest.run('mkdir -p /tmp/www; '
              f'dd if=/dev/urandom of=/tmp/www/file bs=1M count={mib} 2>/dev/null; httpd -h /tmp/www')
    return guest.run('md5sum </tmp/www/file').split()[0]


def two_guests(name, first='10.9.0.1/24', second='10.9.0.2/24', inner=''):
    """A host with a net domain and two guests on its bridge."""
    return host(name, {'/net.xml': net(),
                       '/one.xml': small('one', f'net0={first}', interface(inner=inner), memory=160),
                       '/two.xml': small('two', f'net0={second}', interface(inner=inner),
                                         memory=160)}, BLOBS)


def test_between_guests(name):
    """Every size by ICMP and UDP, IPv4 and IPv6; TCP both ways with each offload on and off."""
    with boot(name, two_guests(name), *USER, *MEMORY, guard=900) as machine:
        one, two = Guest(machine, 'one'), Guest(machine, 'two')
        up(machine, 2)
        two.run('netprobe echo 7 >/dev/null 2>&1 &')
        two.run('iperf3 -s -D')
        link = two.run("ip -6 address show eth0 | sed -n 's/.*inet6 \\(fe80[^/]*\\).*/\\1/p'")
        sizes(one, 'icmp', '10.9.0.2')
        sizes(one, 'udp', '10.9.0.2')
        sizes(one, 'udp', f'{link}%eth0')
        iperf(one, '10.9.0.2')
        iperf(one, '10.9.0.2', '-R')
        iperf(one, f'{link}%eth0')
        hashes = {'10.9.0.2': serve_file(two, 8), '10.9.0.1': serve_file(one, 8)}
        for guest, peer in ((one, '10.9.0.2'), (two, '10.9.0.1')):
            fetch(guest, peer, hashes[peer])
            # One after the other, so that in the end all are off; the peer's are still on, or off.
            for offload in OFFLOADS:
                guest.run(f'ethtool -K eth0 {offload} off')
                fetch(guest, peer, hashes[peer])
        sizes(one, 'udp', '10.9.0.2')
        for offload in reversed(OFFLOADS):
            one.run(f'ethtool -K eth0 {offload} on')
        fetch(two, '10.9.0.1', hashes['10.9.0.1'])
        one.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_to_the_world(name):
    """Addresses by DHCP, TCP both ways and a large file through the card."""
    with Pages(TRANSFER_MIB << 20) as pages, \
            boot(name, two_guests(name, 'dhcp', 'dhcp,10.0.2.20'), *USER, *MEMORY,
                 guard=900) as machine:
        one, two = Guest(machine, 'one'), Guest(machine, 'two')
        equal('10.0.2.20' in up(machine, 2), True, 'that an address can be asked for')
        one.run('ping -c 3 -q 10.0.2.2')
        got = one.run(f'wget -q -O - {pages.url} | md5sum').split()[0]
        equal(got, pages.md5, 'the hash of the large file')
        two.run('ethtool -K eth0 tso off tx off gso off gro off')
        two.run(f'wget -q -O - {pages.url} | head -c 20000000 >/dev/null')
        sent = serve_file(two, 16)
        fetch(one, '10.0.2.20', sent)
        one.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_jumbo(name):
    """Packets of 9,000 bytes between guests, every size; a guest with 1,500 beside them."""
    path = host(name, {
        '/net.xml': net(),
        **{f'/{n}.xml': small(n, f'net0=10.9.0.{i}/24', interface(inner="<mtu size='9000'/>\n"))
           for i, n in ((1, 'one'), (2, 'two'))},
        '/three.xml': small('three', 'net0=10.9.0.3/24', interface())}, BLOBS)
    with boot(name, path, *USER, *MEMORY, guard=900) as machine:
        one, two, three = (Guest(machine, n) for n in ('one', 'two', 'three'))
        up(machine, 3)
        for guest in (one, two):
            guest.run('ip link set eth0 mtu 9000')
        two.run('netprobe echo 7 >/dev/null 2>&1 &')
        sizes(one, 'icmp', '10.9.0.2')
        sizes(one, 'udp', '10.9.0.2')
        # Too long for the third, whole: dropped, not cut; what fits goes on.
        equal(one.values('netprobe times 10.9.0.3 1 4000', None).get('lost'), 1, 'lost')
        one.run('netprobe times 10.9.0.3 3 1400')
        one.run("ping -c 1 -q 10.9.0.3")
        three.run('iperf3 -s -D')
        one.run('ip link set eth0 mtu 1500')
        iperf(one, '10.9.0.3')
        one.leave()
        machine.send('poweroff')
        machine.finish(0)


def rate(sender, receiver, address):
    """KiB/s of frames that arrive of a flood, the burst at its beginning left out."""
    receiver.run('{ netprobe count 9 2; netprobe count 9 4; } >/tmp/count 2>&1 &')
    sender.run(f'netprobe flood {address} 9 {DATAGRAM} 9')
    found = re.findall(r'received=(\d+) ms=(\d+)', receiver.run('wait; cat /tmp/count'))[1]
    return int(found[0]) * (DATAGRAM + HEADERS) * 1000 / 1024 / int(found[1])


def test_rates(name):
    """Limits hold within a tenth, in each direction."""
    # A second's worth at once, or what a busy machine runs late could not be made up for.
    limits = ("<bandwidth>\n<inbound average='1000' burst='1000'/>\n"
              "<outbound average='500' burst='500'/>\n</bandwidth>\n")
    path = host(name, {'/net.xml': net(),
                       '/one.xml': small('one', 'net0=10.9.0.1/24', interface(inner=limits)),
                       '/two.xml': small('two', 'net0=10.9.0.2/24', interface())}, BLOBS)
    with boot(name, path, *USER, *MEMORY, guard=600) as machine:
        one, two = Guest(machine, 'one'), Guest(machine, 'two')
        up(machine, 2)
        for got, limit in ((rate(one, two, '10.9.0.2'), 500), (rate(two, one, '10.9.0.1'), 1000)):
            if abs(got - limit) > limit / 10:
                raise Failure(f'{got:.0f} KiB/s with a limit of {limit} KiB/s')
        two.run('iperf3 -s -D')
        iperf(one, '10.9.0.2')
        iperf(one, '10.9.0.2', '-R')
        one.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_flood(name):
    """Guests that flood: small datagrams to each other, and frames of rubbish to all; two others
    keep their service, and so do they when it is over."""
    names = ('victim', 'server', 'bad', 'worse')
    path = host(name, {'/net.xml': net(), **{
        f'/{n}.xml': small(n, f'net0=10.9.0.{i + 1}/24', interface())
        for i, n in enumerate(names)}}, BLOBS)
    with boot(name, path, *USER, '--memory', '2048', guard=900) as machine:
        victim, server, bad, worse = (Guest(machine, n) for n in names)
        up(machine, 4)
        file = serve_file(server, 1)
        bad.run('netprobe flood 10.9.0.4 9 18 3600 >/dev/null 2>&1 &')
        worse.run(f'netprobe frame eth0 10000000 {"f" * 12}02{"XX" * 5}0800{"XX" * 50} '
                  '>/dev/null 2>&1 &')
        # Broadcasts reach everybody, so one of theirs may be where an echo would have been.
        got = victim.values('netprobe times 10.9.0.2 50 56', None)
        if got['good'] < 40:
            raise Failure(f'echoes beside a flood: {got}')
        fetch(victim, '10.9.0.2', file)
        for guest in (bad, worse):
            guest.run('killall netprobe')
        bad.run('ping -c 3 -q 10.9.0.2')
        worse.run('ping -c 3 -q 10.9.0.2')
        worse.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_reconnects(name):
    """A guest's driver lets go of its interface and takes it again, many times, while another
    sends to it; both have their service in the end. One is destroyed in the middle of it."""
    with boot(name, two_guests(name), *USER, *MEMORY, guard=900) as machine:
        one, two = Guest(machine, 'one'), Guest(machine, 'two')
        up(machine, 2)
        two.run('netprobe flood 10.9.0.1 9 1400 3600 >/dev/null 2>&1 &')
        one.run('cd /sys/bus/xen/drivers/vif')
        one.run(f'for n in $(seq {RECONNECTS}); do echo vif-0 >unbind && rmdir /run/net0; '
                'echo vif-0 >bind; until ip address show eth0 2>/dev/null | grep -q 10.9.0.1; '
                'do :; done; done')
        one.run('ping -c 3 -q 10.9.0.2')
        one.leave()
        machine.ask('destroy one', r'^\[control\] .*destroyed')
        machine.ask('create /one.xml', r'^\[control\] one: started')
        up(machine, 1)
        one.run('ping -c 3 -q 10.9.0.2')
        two.run('killall netprobe')
        two.run('ping -c 3 -q 10.9.0.1')
        two.leave()
        machine.send('poweroff')
        machine.finish(0)
