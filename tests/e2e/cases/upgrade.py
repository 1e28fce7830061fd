"""A driver domain goes on with another image while a guest uses its disk."""

import os
import re
import struct

import verify
from guest import Guest
from host import BUILD, block, disk, domain, host, raw_disk
from machine import Failure, boot

RECONNECTED = r'blkfront.*xvda|I/O error|vbd|Setting capacity'


def driver():
    """The bytes of the block driver's image."""
    with open(os.path.join(BUILD, 'meson', 'driverdom', 'block', 'block.elf'), 'rb') as file:
        return file.read()


def less(image):
    """One that offers less."""
    changed = image.replace(b'indirect-segments=64u', b'indirect-segments=16u')
    if changed == image:
        raise Failure('the image does not say what it offers')
    return changed


def dead(image):
    """One that dies at its first instruction: where the PVH note's entry is, one is undefined."""
    note = image.index(b'Xen\0')
    entry = struct.unpack_from('<Q', image, note + 4)[0]
    first, size, count = (*struct.unpack_from('<Q', image, 32), *struct.unpack_from('<HH', image, 54))
    for i in range(count):
        kind, _, offset, _, address, length = struct.unpack_from('<IIQQQQ', image, first + i * size)
        if kind == 1 and address <= entry < address + length:
            at = offset + entry - address
            return image[:at] + b'\x0f\x0b' + image[at + 2:]
    raise Failure('the entry is in no segment')


def test_disk(name):
    """Under load: a good image takes over; one that lacks something is refused; one that does not
    come up is taken back. The guest's data are right, and its log says nothing."""
    images = {'new': driver(), 'less': less(driver()), 'dead': dead(driver())}
    # What a file names as a kernel is packed, also if nothing starts it.
    spare = {f'/{what}.xml': domain(what, f'/{what}.elf', 16) for what in images}
    guest = domain('small', '/vmlinuz', 224, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    path = host(name, {'/block.xml': block(), '/small.xml': guest, **spare},
                ['vmlinuz', 'busybox.img'], manual=tuple(spare))
    for what, content in images.items():
        with open(os.path.join(path, f'{what}.elf'), 'wb') as out:
            out.write(content)
    with boot(name, path, '--disk', raw_disk(name, mib=96, gpt=False), guard=400) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        wanted = verify.start(shell)
        shell.leave()
        for what, says in (
                ('new', r'block: upgraded to /new\.elf'),
                ('less', r'block: not upgraded: /less\.elf has feature-max-indirect-segments 16, '
                         r'but small uses 64 for its disk xvda'),
                ('dead', r'block: the life of /dead\.elf crashed before it was up: back to '
                         r'/new\.elf'),
                ('nothing', r'block: not upgraded: /nothing\.elf is not in the bundle')):
            machine.send(f'upgrade block /{what}.elf')
            machine.expect_all(rf'^\[control\] {says}',
                               *([r'^\[block\] vbd .*: adopted'] if what == 'dead' else []))
        machine.ask('dominfo block', r'^\[control\] Kernel: +/new\.elf')
        machine.ask('upgrade small /new.elf', r'small is no driver domain of ours')
        verify.stop(shell, wanted)
        said = shell.run('dmesg')
        if re.search(RECONNECTED, said):
            raise Failure(f'the guest noticed: {said}')
        machine.send('poweroff -f')
        machine.finish(1)  # One life crashed.
