"""Linux guests that serve other guests: a firewall between them and the net domain, and a disk."""

import os

from guest import Guest
from host import disk, domain, function, host, interface, net, raw_disk, small
from machine import boot, equal
from pages import Pages

from cases.network import MEMORY, USER, iperf, sizes

BLOBS = ['vmlinuz', 'probe.img']


def test_chain(name):
    """A guest reaches the world through a firewall guest, which gives it an address; what the rules
    forbid does not pass."""
    path = host(name, {
        '/net.xml': net(),
        '/firewall.xml': domain('firewall', '/vmlinuz', 256, '/firewall.img', 'console=hvc0 quiet',
                                interface(backend='net')),
        '/inside.xml': small('inside', 'net0=dhcp', interface(backend='firewall')),
        '/outside.xml': small('outside', 'net0=10.0.2.40/24', interface(backend='net')),
    }, [*BLOBS, 'firewall.img'])
    with Pages(8 << 20) as pages, boot(name, path, *USER, '--memory', '2048', guard=900) as machine:
        inside, outside = Guest(machine, 'inside'), Guest(machine, 'outside')
        wall = Guest(machine, 'firewall')
        address = wall_address(machine)
        outside.run('netprobe echo 7 >/dev/null 2>&1 &')
        outside.run('iperf3 -s -D')
        sizes(inside, 'icmp', '10.0.2.40')
        sizes(inside, 'udp', '10.0.2.40')
        iperf(inside, '10.0.2.40')
        iperf(inside, '10.0.2.40', '-R')
        got = inside.run(f'wget -q -O - {pages.url} | md5sum').split()[0]
        equal(got, pages.md5, "the page's hash")
        # Who comes from outside reaches the firewall, but nobody behind it.
        own = inside.run("ip address show eth0 | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p'")
        outside.run(f'ip route add 10.88.0.0/24 via {address}')
        outside.run(f'ping -c 2 -q {address}')
        outside.run(f'ping -c 2 -W 2 -q {own}', 1)
        # Nor is there a way around it: inside stands on no bridge of the net domain's.
        inside.run('ip address add 10.0.2.41/24 dev eth0; ip route flush cache')
        inside.run('arping -c 2 -w 3 -I eth0 10.0.2.40', 1)
        wall.run('nft list ruleset | grep -q masquerade')
        wall.leave()
        machine.send('poweroff')
        machine.finish(0)


def wall_address(machine):
    """Waits for all three guests; the firewall's address outside."""
    found = {}
    while len(found) < 3:
        match = machine.expect(r'^\[(\w+)\] .*busybox: (?:net|eth)0 ([\d.]+)\n')
        found[match.group(1)] = match.group(2)
    return found['firewall']


def test_disk_of_a_guest(name):
    """A Linux guest that gets its disk from the block domain serves a file on it to another."""
    image = raw_disk(name, 64)
    path = host(name, {
        '/block.xml': domain('block', '/bulkhead/block.elf', 32, devices=function(4)),
        '/server.xml': domain('server', '/vmlinuz', 256, '/linux.img',
                              'console=hvc0 quiet', disk('/dev/nvme0n1p1', 'xvda', 'block')),
        '/user.xml': small('user', '', disk('/dev/loop0', 'xvda', 'server')),
    }, [*BLOBS, 'linux.img'], manual=['/user.xml'])
    with boot(name, path, '--disk', image, *MEMORY, guard=900) as machine:
        server, user = Guest(machine, 'server'), Guest(machine, 'user')
        machine.expect(r'^\[server\] linux: up after ')
        server.run('mke2fs -q /dev/xvda')
        server.run('mkdir /disks && mount -t ext4 /dev/xvda /disks')
        server.run('truncate -s 32M /disks/user.img && losetup /dev/loop0 /disks/user.img')
        server.leave()
        machine.ask('create /user.xml', r'^\[control\] user: started')
        machine.expect(r'^\[user\] busybox: up after ')
        equal(user.run('cat /sys/block/xvda/size'), str((32 << 20) // 512), 'the size in sectors')
        written = user.run('dd if=/dev/urandom of=/tmp/r bs=1M count=16 2>/dev/null; '
                           'dd if=/tmp/r of=/dev/xvda bs=64k conv=fsync 2>/dev/null; '
                           'md5sum </tmp/r')
        user.run('echo 3 >/proc/sys/vm/drop_caches')
        read = user.run('dd if=/dev/xvda bs=1M count=16 2>/dev/null | md5sum')
        equal(read, written, 'the hash of what was read back')
        user.leave()
        machine.ask('shutdown user', r'^\[control\] user: powered off')
        kept = server.run('dd if=/disks/user.img bs=1M count=16 2>/dev/null | md5sum')
        equal(kept, written, "the hash of the server's file")
        server.run('losetup -d /dev/loop0 && umount /disks')
        server.leave()
        machine.send('poweroff')
        machine.finish(0)
    os.unlink(image)


def test_restart(name):
    """The firewall is restarted: a guest of another driver domain itself, it begins anew there, and
    whoever is behind it keeps interface and address."""
    path = host(name, {
        '/net.xml': net(),
        '/firewall.xml': domain('firewall', '/vmlinuz', 256, '/firewall.img', 'console=hvc0 quiet',
                                interface(backend='net')),
        '/inside.xml': small('inside', 'net0=dhcp', interface(backend='firewall')),
    }, [*BLOBS, 'firewall.img'])
    with Pages(8 << 20) as pages, boot(name, path, *USER, *MEMORY, guard=600) as machine:
        inside = Guest(machine, 'inside')
        machine.expect(r'^\[inside\] .*busybox: (?:net|eth)0 [\d.]+\n')
        before = inside.run('ip address show eth0; dmesg -c >/dev/null')
        for _ in range(2):
            # A packet that comes while the router comes up may be lost; ten in ten seconds are not.
            inside.run('ping -c 10 10.0.2.2 >/dev/null')
            inside.leave()
            machine.ask('restart firewall', r'^\[control\] firewall: asked to let go')
            machine.expect(r'^\[firewall\] .*busybox: (?:net|eth)0 [\d.]+\n')
        got = inside.run(f'wget -q -O - {pages.url} | md5sum').split()[0]
        equal(got, pages.md5, "the page's hash")
        equal(inside.run('ip address show eth0'), before, 'the address')
        equal(inside.run('dmesg'), '', 'what its kernel says')
        inside.leave()
        machine.send('poweroff')
        machine.finish(0)
