"""Frames as the wire sees them: VLANs, isolation, what guests forge; cards without a cable."""

import os
import socket

from guest import Guest, counters
from host import BUILD, host, interface, net, small
from machine import Failure, boot, equal
from wire import Wire, ethernet, mac

from cases.network import BLOBS, MEMORY, up

ALL = 'ff:ff:ff:ff:ff:ff'
PEER = '02:aa:00:00:00:99'
# A kind of frame that no kernel sends by itself.
KIND = 0x88b5
CLEAN = ("<filterref filter='clean-traffic'>\n<parameter name='IP' value='10.9.0.2'/>\n"
         '</filterref>\n')
JUMBO = "<mtu size='9000'/>\n"


def address(number):
    """The Ethernet address of a guest."""
    return f'52:54:00:00:01:{number:02x}'


def hosts(name, rules):
    """A host with a guest for each of RULES, name to what stands in its interface's XML."""
    guests = {f'/{guest}.xml': small(guest, f'net0=10.9.0.{number}/24',
                                     interface(mac=address(number), inner=inner))
              for number, (guest, inner) in enumerate(rules.items(), 1)}
    return host(name, {'/net.xml': net(), **guests}, BLOBS)


def send(guest, frame, count=1):
    """A guest sends a frame."""
    guest.run(f'netprobe frame eth0 {count} {frame.hex()}')


def listen(guest, device='eth0'):
    """A guest begins to count the peer's frames, until one of them is the end."""
    start = ethernet(ALL, PEER, KIND).hex()
    guest.run(f'netprobe sniff {device} {start} {start}{b"the end".hex()} >/tmp/{device} 2>&1 &')
    guest.run(f'until grep -q ready /tmp/{device}; do :; done')


def heard(guest, device='eth0'):
    """How many frames it was."""
    return guest.values(f'wait; cat /tmp/{device}')['matched']


def arp(sender, owner):
    """A question in which SENDER says that OWNER is its IP address."""
    return (bytes.fromhex('0001080006040001') + mac(sender) + bytes((10, 9, 0, owner)) + bytes(6)
            + bytes((10, 9, 0, 77)))


def datagram(owner):
    """An empty UDP datagram from 10.9.0.OWNER; its checksums are zero."""
    return (bytes.fromhex('4500001c0000000040110000') + bytes((10, 9, 0, owner, 10, 9, 0, 77))
            + bytes.fromhex('0009000900080000'))


def reply(frame):
    """The answer to an ICMP echo."""
    at = 14 + 20
    total = int.from_bytes(frame[at + 2:at + 4], 'big') + 0x0800
    total = (total & 0xffff) + (total >> 16)
    return (frame[6:12] + frame[:6] + frame[12:26] + frame[30:34] + frame[26:30] + bytes(2)
            + total.to_bytes(2, 'big') + frame[at + 4:])


def jumbo(guest, wire, own):
    """An echo of 8,000 bytes, whole, to the wire and back."""
    guest.run(f'ip link set eth0 mtu 9000; arp -s 10.9.0.99 {PEER}')
    guest.run('netprobe times 10.9.0.99 1 8000 >/tmp/times 2>&1 &')
    frame = wire.wait(ethernet(PEER, own, 0x0800))
    equal(len(frame), 14 + 20 + 8 + 8000, "the frame's length")
    wire.send(reply(frame))
    equal(guest.values('wait; cat /tmp/times')['good'], 1, 'the echoes that came back')


def test_forged(name):
    """Frames with another's address are dropped and counted by reason, the guest's own pass."""
    me, you = address(2), address(1)
    forged = [ethernet(ALL, PEER, KIND, b'forged'), ethernet(ALL, me, 0x0800, datagram(1)),
              ethernet(ALL, me, 0x0806, arp(me, 1)), ethernet(ALL, me, 0x0806, arp(you, 2))]
    good = ethernet(ALL, me, 0x0806, arp(me, 2))
    with Wire() as wire, boot(name, hosts(name, {'free': JUMBO, 'clean': CLEAN}), '--nic',
                              wire.nic(), *MEMORY, guard=600) as machine:
        up(machine, 2)
        free, clean = Guest(machine, 'free'), Guest(machine, 'clean')
        before = counters(clean, me)
        for frame in forged:
            send(clean, frame, 7)
        send(clean, good)
        wire.wait(good)
        for frame in forged:
            equal(wire.count(frame), 0, f'the number of frames {frame.hex()} on the wire')
        after = counters(clean, me)
        lost = {key: value - before.get(key, 0) for key, value in after.items()
                if isinstance(value, int)}
        equal(lost['tx_drop'], 28, 'the number of frames dropped')
        reasons = lost.get('drop_tx_mac_spoof', 0) + lost.get('drop_tx_ip_spoof', 0)
        equal(reasons, 28, 'the number of frames dropped for their senders')
        jumbo(free, wire, you)
        # Who has no filter may say what it likes.
        send(free, forged[0])
        wire.wait(forged[0])
        # And the other has its service still.
        clean.run('ping -c 2 -q 10.9.0.1')
        clean.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_vlans(name):
    """One guest in VLAN 10, one with a trunk of 10 and 20, one in none: what each sends and gets."""
    rules = {'ten': "<vlan>\n<tag id='10'/>\n</vlan>\n",
             'trunk': "<vlan trunk='yes'>\n<tag id='10'/>\n<tag id='20'/>\n</vlan>\n", 'plain': ''}
    with Wire() as wire, boot(name, hosts(name, rules), '--nic', wire.nic(), *MEMORY,
                              guard=600) as machine:
        up(machine, 3)
        ten, trunk, plain = (Guest(machine, n) for n in rules)
        # What is not theirs: another VLAN, a tag on a port that has none.
        send(trunk, ethernet(ALL, address(2), KIND, b'not its', tag=30))
        send(ten, ethernet(ALL, address(1), KIND, b'not its', tag=20))
        send(plain, ethernet(ALL, address(3), KIND, b'not its', tag=10))
        # What is: with its tag on the wire.
        send(ten, ethernet(ALL, address(1), KIND, b'from ten'))
        wire.wait(ethernet(ALL, address(1), KIND, b'from ten', tag=10))
        send(trunk, ethernet(ALL, address(2), KIND, b'from twenty', tag=20))
        wire.wait(ethernet(ALL, address(2), KIND, b'from twenty', tag=20))
        send(plain, ethernet(ALL, address(3), KIND, b'from plain'))
        wire.wait(ethernet(ALL, address(3), KIND, b'from plain'))
        equal([frame.hex() for frame in wire.frames if b'not its' in frame], [], 'what escaped')
        trunk.run('vconfig add eth0 20 && ip link set eth0.20 up')
        for guest in (ten, plain, trunk):
            listen(guest)
        listen(trunk, 'eth0.20')
        for tag, count in ((10, 3), (20, 5), (30, 7), (None, 11)):
            for _ in range(count):
                wire.send(ethernet(ALL, PEER, KIND, b'inward', tag=tag))
        for tag in (10, None, 20):
            wire.send(ethernet(ALL, PEER, KIND, b'the end', tag=tag))
        equal(heard(ten), 3, 'what VLAN 10 heard')
        equal(heard(plain), 11, 'what stands in no VLAN heard')
        equal(heard(trunk, 'eth0.20'), 5, 'what the trunk heard in VLAN 20')
        # The first end of its two VLANs is that of 10: all was sent before.
        equal(heard(trunk), 8, 'what the trunk heard')
        # The guests of one VLAN reach each other, too.
        trunk.run('vconfig add eth0 10 && ip address flush dev eth0 && '
                  'ip address add 10.9.0.2/24 dev eth0.10 && ip link set eth0.10 up')
        trunk.run('ping -c 2 -q 10.9.0.1')
        trunk.run('ping -c 2 -W 2 -q 10.9.0.3', 1)
        trunk.leave()
        machine.send('poweroff')
        machine.finish(0)


def test_isolated(name):
    """Two isolated guests do not hear each other, but a third and the wire, which a virtio card
    leads to; a forged or doubled address does not change that."""
    rules = {'one': "<port isolated='yes'/>\n", 'two': "<port isolated='yes'/>\n", 'free': JUMBO}
    with Wire('virtio') as wire, boot(name, hosts(name, rules), '--nic', wire.nic(), *MEMORY,
                              guard=600) as machine:
        up(machine, 3)
        one, two, free = (Guest(machine, n) for n in rules)
        one.run('ping -c 2 -q 10.9.0.3')
        free.run('ping -c 2 -q 10.9.0.2')
        one.run('ping -c 2 -W 2 -q 10.9.0.2', 1)
        send(one, ethernet(ALL, address(1), KIND, b'from one'))
        wire.wait(ethernet(ALL, address(1), KIND, b'from one'))
        # Two guests with one address: whoever spoke last has it, nothing else happens to them.
        two.run(f'ip link set eth0 down; ip link set eth0 address {address(1)}; ip link set eth0 up')
        two.run('ping -c 3 -q 10.9.0.3')
        one.run('ping -c 3 -q 10.9.0.3')
        free.run('ping -c 3 -q 10.9.0.1; ping -c 3 -q 10.9.0.2', None)
        one.run('ping -c 2 -W 2 -q 10.9.0.2', 1)
        jumbo(free, wire, address(3))
        equal(counters(free, address(3))['rx_packets'] > 0, True, 'that the free guest was reached')
        machine.send('poweroff')
        machine.finish(0)


def monitor(path, command):
    """A command for QEMU's monitor."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(30)
        line.connect(path)
        said = b''
        for typed in (b'', command.encode() + b'\n'):
            line.sendall(typed)
            said = b''
            while not said.endswith(b'(qemu) '):
                said += line.recv(4096)


def test_cable(name):
    """A card without a cable, then with: guests on its bridge reach each other all the time. A
    function that does not exist: one line, and the others start."""
    path = host(name, {
        '/net.xml': net(), '/none.xml': net('none', [25]),
        **{f'/{n}.xml': small(n, f'net0=10.9.0.{i}/24', interface(mac=address(i), backend='net'))
           for i, n in ((1, 'one'), (2, 'two'))}}, BLOBS)
    control = os.path.join(BUILD, 'e2e', name + '.monitor')
    frame = ethernet(ALL, address(1), KIND, b'by cable')
    with Wire() as wire, boot(name, path, '--nic', wire.nic(), *MEMORY, '--qemu',
                              f'-monitor unix:{control},server=on,wait=off', guard=600) as machine:
        machine.expect(r'^\[control\] .*none\.xml:\d+: .*00:19\.0')
        up(machine, 2)
        one = Guest(machine, 'one')
        monitor(control, 'set_link nic0 off')
        one.run('ping -c 3 -q 10.9.0.2')
        send(one, ethernet(ALL, address(1), KIND, b'no cable'))
        one.run('ping -c 1 -q 10.9.0.2')
        equal(wire.count(ethernet(ALL, address(1), KIND, b'no cable')), 0, 'what left without cable')
        monitor(control, 'set_link nic0 on')
        # The domain is told by an interrupt, and that may come after the next frame.
        for _ in range(100):
            send(one, frame)
            if wire.count(frame):
                break
        else:
            raise Failure('the cable is back, but nothing leaves')
        one.leave()
        machine.send('poweroff')
        machine.finish(1)
