"""Disks of every kind in one guest: names, sizes of sectors, what is written and read."""

import hashlib
import os
import subprocess

from host import block, busybox, disk, host, raw_disk
from machine import attach, boot, equal

PART_START = 1 << 20


def filled(name, **options):
    """A raw disk with bytes of its own everywhere but in its partition table's place."""
    path = raw_disk(name, **options)
    with open(path, 'r+b') as image:
        image.seek(PART_START)
        for n in range(8):
            image.write(hashlib.sha256(f'{name}{n}'.encode()).digest() * 32768)
    return path


def part_sum(path):
    """MD5 of the one partition (sfdisk's ends 1 MiB and some sectors before the end)."""
    line = subprocess.run(['/usr/sbin/sfdisk', '-d', path], capture_output=True, text=True,
                          check=True).stdout.splitlines()[-1]
    sectors = int(line.split('size=')[1].split(',')[0])
    with open(path, 'rb') as image:
        image.seek(PART_START)
        return hashlib.md5(image.read(sectors * 512)).hexdigest()


def whole_sum(path):
    with open(path, 'rb') as image:
        return hashlib.md5(image.read()).hexdigest()


def test_kinds(name):
    """A partition by its label, virtio-blk, 4096-byte sectors, a read-only disk."""
    gpt = filled(name + '-gpt')
    virtio = filled(name + '-virtio', gpt=False)
    large = filled(name + '-large', gpt=False)
    readonly = filled(name + '-readonly', gpt=False)
    disks = '\n'.join((disk('/dev/disk/by-partlabel/data'), disk('/dev/vda', 'xvdb'),
                       disk('/dev/nvme2n1', 'xvdc'), disk('/dev/nvme1n1', 'xvdd', readonly=True)))
    small = busybox(after='').replace('</domain>', f'<devices>\n{disks}\n</devices>\n</domain>')
    path = host(name, {'/block.xml': block(slots=(4, 5, 6, 8)), '/small.xml': small},
                ['vmlinuz', 'busybox.img'])
    qemu = (f'-drive if=none,id=large,format=raw,file={large} '
            '-device nvme,drive=large,serial=large,logical_block_size=4096,'
            'physical_block_size=4096,bus=pcie.0,addr=8.0')
    with boot(name, path, '--disk', gpt, '--disk', 'virtio:' + virtio, '--disk', readonly,
              '--qemu', qemu) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        machine.send('while [ ! -b /dev/xvdd ]; do :; done; echo go-$((1 + 1))')
        machine.expect('go-2')
        for device, wanted in (('xvda', part_sum(gpt)), ('xvdb', whole_sum(virtio)),
                               ('xvdc', whole_sum(large)), ('xvdd', whole_sum(readonly))):
            found = machine.ask(f'md5sum /dev/{device}', rf'(\w{{32}})  /dev/{device}').group(1)
            equal(found, wanted, f'the sum of {device}')
        machine.ask('cat /sys/block/xvdc/queue/logical_block_size', r'^(\[small\] )?4096$')
        machine.ask('echo no >/dev/xvdd; echo status $?', r'status 1')
        # What is written with a flush is on the disk when the machine is gone.
        for device in ('xvda', 'xvdb', 'xvdc'):
            machine.ask(f'dd if=/dev/urandom of=/dev/{device} bs=1M count=4 seek=2 conv=fsync '
                        f'2>/dev/null; echo wrote-$((3 + 4))-{device}', f'wrote-7-{device}')
        sums = {}
        for device in ('xvda', 'xvdb', 'xvdc'):
            machine.send(f'echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/{device}')
            sums[device] = machine.expect(rf'(\w{{32}})  /dev/{device}').group(1)
        machine.send('poweroff -f')
        machine.finish(0)
    equal(sums, {'xvda': part_sum(gpt), 'xvdb': whole_sum(virtio), 'xvdc': whole_sum(large)},
          'what the guest wrote')
    for file in (gpt, virtio, large, readonly):
        os.unlink(file)
