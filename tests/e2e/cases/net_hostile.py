"""A front end that breaks the network's protocol in every way, beside two guests that use it."""

import re

from guest import Guest
from host import domain, host, interface, net
from machine import Failure, boot

BLOBS = ['vmlinuz', 'net.img', 'netrubbish.elf']


def guest(name, address):
    """A stock guest with a fixed address on the bridge."""
    return domain(name, '/vmlinuz', 128, '/net.img', f'console=hvc0 quiet net0={address}/24',
                  interface())


def test_front_end(name):
    """It loses its own interface, time after time; the guests' pings go on, and the net domain."""
    path = host(name, {'/net.xml': net(slots=()),
                       '/one.xml': guest('one', '10.9.0.1'), '/two.xml': guest('two', '10.9.0.2'),
                       '/netrubbish.xml': domain('netrubbish', '/netrubbish.elf', 16,
                                                 devices=interface())},
                BLOBS, manual=['/netrubbish.xml'])
    with boot(name, path, guard=300) as machine:
        for _ in range(2):
            machine.expect(r'^\[(?:one|two)\] .*busybox: net0 10\.9\.0\.\d')
        one = Guest(machine, 'one')
        one.run('ping 10.9.0.2 >/tmp/ping 2>&1 &')
        one.leave()
        machine.ask('create /netrubbish.xml', r'^\[control\] netrubbish: started')
        machine.expect(r'^\[netrubbish\] netrubbish: done$')
        machine.expect(r'^\[control\] netrubbish: powered off')
        one.run('kill -INT $!; wait $!; true')
        pings = one.run("sed -n 's/ packets.*, \\([0-9]*\\) packets received.*/ \\1/p' /tmp/ping")
        one.leave()
        machine.send('poweroff')
        text = machine.finish(0)
    sent, received = map(int, pings.split())
    if received == 0 or sent - received > 1:
        raise Failure(f'{received} of {sent} pings came back')
    lines = len(re.findall(r'^\[net\] ', text, re.MULTILINE))
    if lines > 60:
        raise Failure(f'the net domain said {lines} lines of it')
