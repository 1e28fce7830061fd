"""What the control prompt tells of disks and interfaces, and of what back ends counted."""

import json
import re

from host import block, disk, domain, host, interface, net, raw_disk
from machine import attach, boot, equal

ADDRESS = '52:54:00:00:00:01'
ONLY = ("<filterref filter='clean-traffic'>\n<parameter name='IP' value='192.0.2.1'/>\n"
        '</filterref>\n')


def answer(machine, command):
    """The JSON that a command prints."""
    machine.send(command)
    match = machine.expect(r'(?s)^(\[control\] [\[{]\n.*?^\[control\] [\]}])$')
    return json.loads(re.sub(r'^\[control\] ', '', match.group(1), flags=re.MULTILINE))


def test_counters(name):
    """A net domain without a card joins two guests; what it let through and what not is counted."""
    one = domain('one', '/vmlinuz', 128, '/net.img', 'console=hvc0 quiet net0=192.0.2.1/24',
                 interface('lan', ADDRESS, inner=ONLY) + '\n' + disk('/dev/nvme0n1'))
    two = domain('two', '/vmlinuz', 128, '/net.img', 'console=hvc0 quiet net0=192.0.2.2/24',
                 interface('lan'))
    path = host(name, {'/one.xml': one, '/two.xml': two, '/net.xml': net(slots=()),
                       '/block.xml': block()}, ['vmlinuz', 'net.img'])
    with boot(name, path, '--disk', raw_disk(name)) as machine:
        machine.expect(r'(?s)busybox: net0 .*busybox: net0 ')
        attach(machine, 'one', r'^\[one\] / # ')
        machine.send('ping -c 1 192.0.2.2; ip address add 192.0.2.9/24 dev eth0; '
                     'ping -c 1 -W 1 -I 192.0.2.9 192.0.2.2; echo lost-$?')
        machine.expect(r'^\[one\] 1 packets transmitted, 1 packets received')
        machine.expect(r'^\[one\] lost-1')
        machine.send('dd if=/dev/xvda of=/dev/null bs=64k count=4; echo read-$?')
        machine.expect(r'^\[one\] read-0')
        machine.type('\x1d')
        listed = answer(machine, 'domiflist one --json')[0]
        equal((listed['source'], listed['mac'], listed['backend']), ('lan', ADDRESS, 'net'), 'list')
        counted = answer(machine, f'domifstat one {ADDRESS} --json')
        equal(counted['tx_drop'] >= 1 and counted['drop_tx_ip_spoof'] >= 1, True, 'drops')
        equal(counted['rx_packets'] >= 1 and counted['tx_packets'] >= 1, True, 'packets')
        counted = answer(machine, 'domblkstat one xvda --json')
        equal(counted['rd_bytes'] >= 4 << 16, True, 'bytes that were read')
        stats = answer(machine, 'domstats one --json')[0]
        equal((stats['net.count'], stats['block.0.name'], stats['block.0.wr.reqs']),
              (1, 'xvda', 0), 'domstats')
        machine.send('destroy one')
        machine.send('destroy two')
        machine.finish(0)
