"""Devices behind an IOMMU reach what their owners do; without one, everything."""

import re

from host import block, busybox, disk, domain, function, host, net, raw_disk
from machine import attach, boot, equal

EDU = ('--device', 'edu,bus=pcie.0,addr=1e.0,dma_mask=0xffffffffffff')


def attack(name, iommu='yes', extra=''):
    """The folder of a host whose one domain has its device reach for everything."""
    dma = domain('dma', '/dma.elf', 16, devices=function(0x1e), extra=extra)
    return host(name, {'/dma.xml': dma, '/small.xml': busybox()},
                ['dma.elf', 'vmlinuz', 'busybox.img'], iommu=iommu)


def test_attack_is_blocked(name):
    """Each access to another's memory is blocked and told; the owner's own memory works."""
    with boot(name, attack(name), '--iommu', 'intel', *EDU) as machine:
        machine.expect(r'^\[core\] IOMMU: PCI 00f0 \(dma\): blocked reading 200000 ')
        machine.expect(r'^\[core\] IOMMU: PCI 00f0 \(dma\): blocked reading .* 4 times in all')
        machine.expect(r'^\[dma\] dma: contained')
        machine.expect(r'^\[dma\] result success')
        machine.finish()
        machine.absent('crashed')


def test_attack_succeeds_without(name):
    """The same attempts succeed on a host without an IOMMU: they are real."""
    with boot(name, attack(name, 'no'), '--iommu', 'none', *EDU) as machine:
        machine.expect(r'^\[dma\] dma: open')
        machine.expect(r'^\[dma\] result success')
        machine.finish()


def test_too_much_is_a_crash(name):
    """Beyond the limit of its file a domain has crashed, with the reason, and on_crash applies."""
    extra = ("<on_crash>preserve</on_crash>\n<metadata>\n"
             "<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>\n"
             "<bulkhead:dma-faults limit='1'/>\n</bulkhead:domain>\n</metadata>")
    with boot(name, attack(name, extra=extra), *EDU) as machine:
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


def test_disks_are_contained(name):
    """Both kinds of disks work behind an IOMMU, and nothing is called unsafe."""
    devices = '<devices>\n' + disk('/dev/nvme0n1p1') + '\n' + disk('/dev/vda', 'xvdb')
    small = busybox(after='', memory=160).replace('</domain>', devices + '</devices>\n</domain>')
    path = host(name, {'/block.xml': block(slots=(4, 5)), '/small.xml': small},
                ['vmlinuz', 'busybox.img'])
    with boot(name, path, '--iommu', 'intel', '--disk', raw_disk(name + '-nvme'),
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
