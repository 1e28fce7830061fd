"""Driver domains that die or are told to start again come back in place; their guests see a pause."""

import hashlib
import re

import verify
from guest import Guest
from host import block, disk, domain, host, interface, net, raw_disk, small
from machine import Failure, boot, equal
from pages import Pages

ON_CRASH = '<on_crash>restart</on_crash>'
LIVES = 6
# What a stock front end says when it loses its back end or starts anew with it.
RECONNECTED = r'blkfront.*xvda|xen_netfront|I/O error|vbd|Setting capacity'


def ours(xml):
    """The same domain, to be started again when it crashes."""
    return xml.replace('</os>\n', f'</os>\n{ON_CRASH}\n')


def lives(machine, name, count):
    """Ends so many lives, in turn by word and by an exception; each must find its front ends."""
    for life in range(count):
        if life % 2:
            machine.ask(f'inject-nmi {name}', rf'^\[core\] domain \d+ \({name}\) crashed|'
                                              rf'^\[control\] {name}: crashed')
        else:
            machine.send(f'restart {name}')
        machine.expect(rf'^\[control\] {name}: started again in place')
        machine.expect(rf'^\[{name}\] v[bi][df] .*: adopted')


def unnoticed(shell):
    """Fails if the guest's kernel has said anything of a device that went."""
    said = shell.run('dmesg')
    if re.search(RECONNECTED, said):
        raise Failure(f'the guest noticed: {said}')


def test_disk(name):
    """Files are written, flushed and read while the disk's driver dies: all are right, no error."""
    image = raw_disk(name, mib=96, gpt=False)
    guest = domain('small', '/vmlinuz', 224, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    path = host(name, {'/block.xml': ours(block()), '/small.xml': guest}, ['vmlinuz', 'busybox.img'],
                iommu='yes')
    with boot(name, path, '--iommu', 'intel', '--disk', image, guard=400) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        wanted = verify.start(shell)
        shell.leave()
        machine.ask('inject block crash', r'host\.xml:1: fault injection is not allowed')
        lives(machine, 'block', LIVES)
        verify.stop(shell, wanted)
        unnoticed(shell)
        shell.run('sync')
        machine.send('poweroff -f')
        machine.finish(1)  # Domains crashed.
    with open(image, 'rb') as file:
        equal(hashlib.md5(file.read(24 << 20)).hexdigest(), wanted, 'the image')


def test_network(name):
    """A download and echoes go on while the net domain dies again and again."""
    path = host(name, {'/net.xml': ours(net()),
                       '/one.xml': small('one', 'net0=dhcp', interface(), memory=160)},
                ['vmlinuz', 'probe.img'], iommu='yes')
    with Pages(48 << 20) as pages, boot(name, path, '--iommu', 'intel', '--nic',
                                        'user,model=e1000e', guard=400) as machine:
        machine.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'one')
        shell.run('dmesg -c >/dev/null')
        shell.run(f'(wget -q -O - {pages.url} | md5sum >/tmp/sum; touch /tmp/done) &')
        shell.leave()
        lives(machine, 'net', LIVES)
        got = shell.run('while [ ! -e /tmp/done ]; do ping -c 1 -W 20 10.0.2.2 >/dev/null || '
                        'touch /tmp/lost; done; cat /tmp/sum').split()[0]
        equal(got, pages.md5, 'the page')
        shell.run('[ ! -e /tmp/lost ]')
        unnoticed(shell)
        machine.send('poweroff -f')
        machine.finish(1)
