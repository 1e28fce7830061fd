"""Devices behind an IOMMU reach what their owners do; without one, everything."""

import os
import re

from host import block, busybox, disk, domain, function, host, interface, net, raw_disk
from machine import Failure, attach, boot, equal
from wire import Wire

# What guests know of each other: the core counts domains from the control domain's 0, then come
# store and console, the attacker, the guest that needs nobody, and the victim.
DMA, VICTIM = 3, 5
MEMORY = 1024
LONG = 36  # MiB of the victim's memory, and of its initrd: more than the attacker's step
TEXT = b'-memory-control-'  # what BUNDLE_TEXT in mail.h says
HEIR = 960  # MiB: all that is free, but for 5
FRAMES = 16


def devices(nic):
    """An edu and a card; and a machine whose size the attacker knows."""
    return ('--device', 'edu,bus=pcie.0,addr=1e.0,dma_mask=0xffffffffffff', '--nic', nic,
            '--memory', str(MEMORY))


def attackers():
    """The XML of an NVMe drive, an e1000e and an edu."""
    return '\n'.join(map(function, (4, 0x10, 0x1e)))


def hostile(name, required, silent=False):
    """The folder of a host with a domain that has its devices reach for everything, a guest that
    looks whether anything of its own changes, and one that has nothing to do with either."""
    words = f'memory={MEMORY} victim={VICTIM}' + (' silent' if silent else '')
    domains = {
        '/dma.xml': domain('dma', '/dma.elf', 16, cmdline=words, devices=attackers()),
        '/victim.xml': domain('victim', '/victim.elf', 96, '/text.img', f'peer={DMA} fill={LONG}',
                              interface('inner', backend='dma')),
        '/small.xml': busybox(after=''),
        '/witness.xml': domain('witness', '/victim.elf', 96, '/text.img', 'alone fill=1'),
    }
    path = host(name, domains, ['dma.elf', 'victim.elf', 'vmlinuz', 'busybox.img'],
                iommu=required, manual=('/witness.xml',))
    with open(os.path.join(path, 'text.img'), 'wb') as out:
        out.write(TEXT * ((LONG << 20) // len(TEXT)))
    return path


def said(machine, pattern):
    """The first match, wherever it stands in what was said."""
    match = re.search(pattern, machine.text, re.MULTILINE)
    if not match:
        raise Failure(f'nothing said {pattern!r}')
    return match


def attack(name, kind, contained, reports, forged):
    """All attacks; then what became of the victim, of the control domain, and of the rest.
    FORGED is what becomes of interrupts that are written by DMA."""
    options = ('--iommu', kind, '--disk', raw_disk(name), *devices('user'))
    with boot(name, hostile(name, 'yes' if contained else 'no', not reports), *options) as machine:
        # The attacker has no driver that would say that it serves the victim.
        machine.expect(r'^\[control\] small: started')
        machine.ask(f'store ls /local/domain/{DMA}/backend/vif', rf'^\[control\] {VICTIM}$')
        machine.send(f'store write /local/domain/{DMA}/backend/vif/{VICTIM}/0/hotplug-status '
                     'connected')
        machine.expect(r'^\[dma\] result success')
        machine.expect(r'^\[control\] dma: powered off')
        for device in ('edu', 'nvme', 'e1000e'):
            said(machine, rf'^\[dma\] dma: {device} is contained: {int(contained)}$')
            said(machine, rf'^\[dma\] dma: interrupts that the {device} forged: {forged}$')
        told = r'^\[victim\] victim: (\d+) of \d+ pages changed'
        if not re.search(told, machine.text, re.MULTILINE):
            machine.expect(told)
        changed = said(machine, told).group(1)
        equal(changed != '0', not contained, 'whether the victim was changed')
        machine.ask('create /witness.xml', r'^\[witness\] victim: initrd '
                    + ('intact' if contained else 'changed'))
        machine.expect(r'^\[control\] witness: powered off')
        for slot in (0x20, 0x80, 0xf0) if reports else ():
            for access in ('reading', 'writing'):
                said(machine, rf'^\[core\] IOMMU: PCI {slot:04x} \(dma\): blocked {access} ')
        machine.absent('no more is recorded')
        attach(machine)
        machine.send('poweroff -f')
        machine.finish()
        machine.absent('crashed')


def test_attacks_are_blocked(name):
    """Each access to another's memory is blocked and told; nobody else notices any of it."""
    # QEMU's VT-d unit, unlike real ones, passes on what is not in the new format.
    attack(name, 'intel', contained=True, reports=True, forged='came')


def test_attacks_are_blocked_by_amd(name):
    """The same behind AMD's unit, of which QEMU's model blocks without a word."""
    attack(name, 'amd', contained=True, reports=False, forged='refused')


def test_attacks_succeed_without(name):
    """The same attempts succeed on a host without an IOMMU: they are real."""
    attack(name, 'none', contained=False, reports=False, forged='came')


def outlive(name, kind, required):
    """An attacker dies with its devices at work: whoever gets its memory finds that untouched,
    although frames for the dead one's card go on coming."""
    domains = {
        '/dma.xml': domain('dma', '/dma.elf', 16, cmdline='die', devices=attackers()),
        '/heir.xml': domain('heir', '/victim.elf', HEIR, cmdline=f'alone fill={HEIR - 2}'),
    }
    path = host(name, domains, ['dma.elf', 'victim.elf'], iommu=required, manual=('/heir.xml',))
    with Wire() as wire, boot(name, path, '--iommu', kind, '--disk', raw_disk(name),
                              *devices(wire.nic())) as machine:
        machine.expect(r'^\[dma\] dma: dies')
        machine.expect(r'^\[control\] dma: crashed')
        machine.ask('create /heir.xml', r'^\[heir\] victim: watches')
        for _ in range(FRAMES):
            wire.send(b'\xff' * 60)
        machine.expect(rf'^\[heir\] victim: 0 of {(HEIR - 2) * 256} pages changed')
        machine.finish(1)
        machine.absent('IOMMU: PCI')


def test_the_dead_reach_nobody(name):
    """Nor is there anything to be blocked: the device is off before its owner's memory is let go."""
    outlive(name, 'intel', 'yes')


def test_the_dead_reach_nobody_by_amd(name):
    """The same with AMD's unit."""
    outlive(name, 'amd', 'yes')


def test_the_dead_reach_nobody_without(name):
    """So it does not take an IOMMU."""
    outlive(name, 'none', 'no')


def test_too_much_is_a_crash(name):
    """Beyond the limit of its file a domain has crashed, with the reason, and on_crash applies."""
    extra = ("<on_crash>preserve</on_crash>\n<metadata>\n"
             "<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>\n"
             "<bulkhead:dma-faults limit='1'/>\n</bulkhead:domain>\n</metadata>")
    dma = domain('dma', '/dma.elf', 16, devices=function(0x1e), extra=extra)
    path = host(name, {'/dma.xml': dma, '/small.xml': busybox()},
                ['dma.elf', 'vmlinuz', 'busybox.img'])
    with boot(name, path, *devices('none')[:2]) as machine:
        machine.expect(r'^\[core\] IOMMU: PCI 00f0 \(dma\): blocked .* 1 times in all')
        machine.expect(r'^\[core\] domain \d+ \(dma\) crashed: 2 accesses of PCI 00f0 were blocked')
        machine.expect(r'^\[control\] dma: crashed')
        machine.finish(1)
        machine.absent(r'^\[dma\] result')


def test_virtio_past_the_unit(name):
    """A virtio disk and card whose DMA goes round the IOMMU: their drivers refuse them."""
    devices = '<devices>\n' + disk('/dev/vda') + '\n</devices>\n</domain>'
    small = busybox().replace('</domain>', devices)
    files = {'/block.xml': block(slots=(4,)), '/net.xml': net(slots=(5,)), '/small.xml': small,
             '/other.xml': busybox('other')}
    with boot(name, host(name, files, ['vmlinuz', 'busybox.img']),
              '--qemu', f'-drive if=none,id=past,format=raw,file={raw_disk(name, gpt=False)}',
              '--device', 'virtio-blk-pci,drive=past,disable-legacy=on,bus=pcie.0,addr=04.0',
              '--device', 'virtio-net-pci,disable-legacy=on,bus=pcie.0,addr=05.0') as machine:
        text = machine.finish(1)
    for said in (r'^\[block\] .*goes round the IOMMU', r'^\[net\] .*goes round the IOMMU',
                 r'^\[control\] /small.xml:\d+: .*/dev/vda', r'^\[other\] busybox: up'):
        equal(bool(re.search(said, text, re.MULTILINE)), True, f'{said} to be said')


def contained_disks(name, iommu):
    """Both kinds of disks work behind an IOMMU, and nothing is called unsafe."""
    devices = '<devices>\n' + disk('/dev/nvme0n1p1') + '\n' + disk('/dev/vda', 'xvdb')
    small = busybox(after='', memory=160).replace('</domain>', devices + '</devices>\n</domain>')
    path = host(name, {'/block.xml': block(slots=(4, 5)), '/small.xml': small},
                ['vmlinuz', 'busybox.img'])
    with boot(name, path, '--iommu', iommu, '--disk', raw_disk(name + '-nvme'),
              '--disk', 'virtio:' + raw_disk(name + '-virtio', gpt=False)) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.ask('nodeinfo', r'^\[control\] IOMMU: +yes')
        machine.ask('dominfo block', r'^\[control\] State: +running')
        attach(machine)
        machine.send('dd if=/dev/urandom of=/tmp/r bs=64k count=32; for d in xvda xvdb; do '
                     'dd if=/tmp/r of=/dev/$d bs=64k conv=fsync; '
                     'echo 3 >/proc/sys/vm/drop_caches; '
                     'dd if=/dev/$d bs=64k count=32 | cmp - /tmp/r && echo "same-$d"; done')
        machine.expect(r'^\[small\] same-xvda')
        machine.expect(r'^\[small\] same-xvdb')
        machine.send('poweroff -f')
        machine.finish(0)
        machine.absent('UNSAFE')
        machine.absent('IOMMU: PCI')


def test_disks_are_contained(name):
    """By VT-d."""
    contained_disks(name, 'intel')


def test_disks_are_contained_by_amd(name):
    """By AMD-Vi."""
    contained_disks(name, 'amd')
