"""Disks as guests see them: kinds, partition tables, lives of guests that use them."""

import hashlib

from host import block, busybox, disk, host, raw_disk
from machine import Failure, attach, boot, equal

BLOBS = ['vmlinuz', 'busybox.img']
LARGE_SECTORS = ('nvme,drive=large,serial=large,addr=0a.0,'
                 'logical_block_size=4096,physical_block_size=4096')


def guest(name, *disks):
    """A busybox guest that stays, with disks."""
    devices = ''.join(f'<devices>\n{"".join(disks)}\n</devices>\n')
    return busybox(name, after='', memory=160).replace('</domain>', devices + '</domain>')


def shell(machine, command, name='small'):
    """Runs a command in the attached guest; fails if it does. What it printed last, as a match."""
    machine.send(command + '; echo "status-$?"')
    # Other domains' lines may stand between the two.
    found = machine.expect(rf'^\[{name}\] (.*)\n(?:\[(?!{name}\]).*\n)*'
                           rf'(?:\[{name}\] )?status-(\d+)')
    if found.group(2) != '0':
        raise Failure(f'in the guest: {command}: status {found.group(2)}')
    return found.group(1)


def write_and_compare(machine, device):
    """2 MiB written, flushed, read back without the cache; their hash."""
    shell(machine, 'dd if=/dev/urandom of=/tmp/r bs=64k count=32 2>/dev/null; echo made')
    shell(machine, f'dd if=/tmp/r of=/dev/{device} bs=64k seek=4 conv=fsync 2>/dev/null; echo put')
    shell(machine, 'echo 3 >/proc/sys/vm/drop_caches; '
                   f'dd if=/dev/{device} bs=64k skip=4 count=32 2>/dev/null | cmp - /tmp/r')
    return shell(machine, 'md5sum </tmp/r').split()[0]


def hash_of(image, offset):
    """The hash of what write_and_compare should have left in an image."""
    with open(image, 'rb') as file:
        file.seek(offset + (4 << 16))
        return hashlib.md5(file.read(32 << 16)).hexdigest()


def test_kinds(name):
    """NVMe by label, virtio-blk whole, NVMe of large sectors read-only: data, size, flags."""
    images = [raw_disk(name + '-nvme'), raw_disk(name + '-virtio', gpt=False),
              raw_disk(name + '-large', gpt=False)]
    path = host(name, {
        '/block.xml': block(slots=(4, 5, 10)),
        '/small.xml': guest('small', disk('/dev/disk/by-partlabel/data', 'xvda'),
                            disk('/dev/vda', 'xvdb'), disk('/dev/nvme1n1', 'xvdc', readonly=True)),
    }, BLOBS)
    with boot(name, path, '--disk', images[0], '--disk', 'virtio:' + images[1],
              '--qemu', f'-drive if=none,id=large,format=raw,file={images[2]}',
              '--device', LARGE_SECTORS) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        sums = [write_and_compare(machine, device) for device in ('xvda', 'xvdb')]
        equal(shell(machine, 'cat /sys/block/xvdc/ro /sys/block/xvdc/queue/logical_block_size | '
                             'tr "\\n" " "; echo'), '1 4096 ', 'what the third disk is')
        shell(machine, 'dd if=/dev/xvdc of=/dev/null bs=1M iflag=direct && '
                       '! dd if=/dev/zero of=/dev/xvdc count=8 oflag=direct')
        machine.send('poweroff -f')
        machine.finish(0)
    equal(sums[0], hash_of(images[0], 1 << 20), 'the partition')
    equal(sums[1], hash_of(images[1], 0), 'the virtio disk')


def test_destroyed_while_writing(name):
    """A guest is destroyed in the middle of its I/O and made anew, while another goes on."""
    path = host(name, {
        '/block.xml': block(),
        '/small.xml': guest('small', disk('/dev/nvme0n1p1', 'xvda')),
        '/other.xml': guest('other'),
    }, BLOBS)
    load = 'for i in 1 2 3; do while :; do dd if=/dev/zero of=/dev/xvda bs=64k count=99; done & done'
    with boot(name, path, '--disk', raw_disk(name)) as machine:
        machine.expect(r'^\[other\] busybox: up after ')
        for life in range(2):
            machine.position = 0 if life == 0 else machine.position
            machine.expect(r'^\[small\] busybox: up after ')
            attach(machine)
            machine.send(f'({load}) >/dev/null 2>&1; sleep 1; echo busy-$((40 + {life}))')
            machine.expect(rf'busy-{40 + life}')
            machine.type('\x1d')
            machine.ask('destroy small', r'^\[control\] .*destroyed')
            if life == 0:
                machine.ask('create /small.xml', r'^\[control\] small: started')
        machine.send('destroy other')
        machine.finish(0)
        machine.absent(r'^\[block\] .*(closed|no answer)')


def test_backup_table(name):
    """A damaged primary GPT: the backup serves, and the log says what is wrong."""
    image = raw_disk(name)
    with open(image, 'r+b') as file:
        file.seek(512)
        file.write(bytes(512))
    path = host(name, {'/block.xml': block(),
                       '/small.xml': guest('small', disk('/dev/nvme0n1p1', 'xvda'))}, BLOBS)
    with boot(name, path, '--disk', image) as machine:
        machine.expect(r'^\[block\] nvme0n1: the primary GPT has no signature')
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        write_and_compare(machine, 'xvda')
        machine.send('poweroff -f')
        machine.finish(0)


def test_one_writer(name):
    """What one guest writes no other may have: the second is told who has it."""
    path = host(name, {
        '/block.xml': block(),
        '/small.xml': guest('small', disk('/dev/nvme0n1p1', 'xvda')),
        '/late.xml': guest('late', disk('/dev/nvme0n1', 'xvda')),
    }, BLOBS, manual=['/late.xml'])
    with boot(name, path, '--disk', raw_disk(name)) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.ask('create /late.xml', r'^\[control\] .*/dev/nvme0n1 is in use by domain \d+')
        machine.send('destroy small')
        machine.finish(1)
