"""Bad input: each mistake gets one line with its file and line, and the others still start."""

import os
import re

from host import BUILD, block, busybox, disk, domain, folder, host_xml, interface, raw_disk
from machine import Failure, attach, boot, equal

KERNELS = ['vmlinuz', 'busybox.img']


def said(text, file, line=r'\d+'):
    """Finds the one line about a file; fails if there is none, or if it says nothing to do."""
    found = re.findall(rf'^\[control\] (?:{file}):(?:{line}): (.+)$', text, re.MULTILINE)
    if not found:
        raise Failure(f'no line about {file}')
    if not any(': ' in what for what in found):
        raise Failure(f'{file}: the line does not say what to write instead: {found[0]}')


def wired(name, inner='', **attributes):
    """A guest with one interface; INNER stands in it."""
    return domain(name, '/vmlinuz', 128, '/busybox.img', '',
                  interface(inner=inner and inner + '\n', **attributes))


def mistakes():
    """One domain file for each mistake that concerns one file: file name, content, line."""
    good = busybox('name')
    yield 'broken', good.replace('</os>', ''), r'\d+'
    yield 'element', good.replace('<vcpu>', '<sound model="ac97"/>\n<vcpu>'), 4
    yield 'value', good.replace("<memory unit='MiB'>128", "<memory unit='MiB'>many"), 3
    yield 'kernel', good.replace('/vmlinuz', '/missing'), 7
    yield 'initrd', good.replace('/busybox.img', '/missing'), 8
    yield 'text', good.replace('/vmlinuz', '/text.xml'), 7
    yield 'huge', good.replace('>128<', '>1000000<'), 3
    yield 'hvm', good.replace('>xenpvh<', '>hvm<'), 6
    yield 'name', good.replace('>name<', '>../x<'), 2
    yield 'backend', domain('backend', '/vmlinuz', 128, '/busybox.img', '',
                            disk('/dev/nvme0n1', backend='nobody')), r'\d+'
    yield 'nodisk', domain('nodisk', '/vmlinuz', 128, '/busybox.img', '',
                           disk('/dev/nvme0n9', backend='block')), r'\d+'
    yield 'nopart', domain('nopart', '/vmlinuz', 128, '/busybox.img', '',
                           disk('/dev/nvme0n1p7', backend='block')), r'\d+'
    yield 'nolabel', domain('nolabel', '/vmlinuz', 128, '/busybox.img', '',
                            disk('/dev/disk/by-partlabel/none', backend='block')), r'\d+'
    yield 'nonet', wired('nonet'), 11
    yield 'wrongnet', wired('wrongnet', backend='block'), 13
    yield 'bridge', wired('bridge', bridge='br 0'), 12
    yield 'address', wired('address', mac='01:00:5e:00:00:01'), 12
    yield 'mtu', wired('mtu', "<mtu size='67'/>"), 13
    yield 'speed', wired('speed', "<bandwidth><outbound average='0'/></bandwidth>"), 13
    yield 'vlan', wired('vlan', "<vlan><tag id='4095'/></vlan>"), 13
    yield 'filter', wired('filter', "<filterref filter='no-such'/>"), 13
    yield 'script', wired('script', "<script path='/etc/xen/vif'/>"), 13


def test_one_boot(name):
    """Every mistake in a domain file, in one host, beside a guest that has none."""
    files = {'block.xml': block(), 'good.xml': busybox('good')}
    lines = {}
    for case, xml, line in mistakes():
        files[case + '.xml'] = xml.replace('<name>name</name>', f'<name>{case}</name>')
        lines[case] = line
    files['twin1.xml'] = busybox('twin')
    files['twin2.xml'] = busybox('twin')
    files['thief.xml'] = block('thief')
    order = ['/' + file for file in files] + ['/absent.xml']
    files['host.xml'] = host_xml(*order)
    path = folder(name, files, KERNELS)
    with boot(name, path, '--disk', raw_disk(name)) as machine:
        machine.expect(r'^\[good\] busybox: up after ')
        text = machine.finish(1)
    for case, line in lines.items():
        said(text, f'/{case}.xml', line)
    said(text, 'host.xml', len(order) + 2)
    said(text, '/twin2.xml', 2)
    said(text, '/thief.xml')
    equal(len(re.findall(r'^\[(\w+)\] busybox: up', text, re.MULTILINE)), 2, 'guests that ran')


def test_host_xml(name):
    """An unusable host.xml: its line, and status 1."""
    for case, text in (('malformed', '<host>\n<domain file="/x.xml">\n</host>\n'),
                       ('element', '<host>\n<network/>\n</host>\n'),
                       ('value', "<host>\n<domain file='/x.xml' autostart='maybe'/>\n</host>\n"),
                       ('nobody', '<host/>\n'), ('empty', '')):
        path = folder(f'{name}-{case}', {'host.xml': text})
        with boot(f'{name}-{case}', path) as machine:
            said(machine.finish(1), 'host.xml')


def test_iommu_required(name):
    """A driver domain without an IOMMU is refused unless host.xml says that is wanted."""
    files = {'block.xml': block(), 'host.xml': host_xml('/block.xml')}
    with boot(name, folder(name, files), '--iommu', 'none', '--disk', raw_disk(name)) as machine:
        text = machine.finish(1)
    said(text, '/block.xml')
    if "write <iommu required='no'/> into host.xml, which is UNSAFE" not in text:
        raise Failure('the line does not tell of <iommu>')


def test_kernel_that_is_none(name):
    """ELF, but no PVH kernel; and an ELF that is cut short."""
    with open(os.path.join(BUILD, 'meson', 'stubdom', 'hello.elf'), 'rb') as image:
        elf = image.read()
    files = {
        'cut.elf': elf[:5000], 'plain.elf': elf.replace(b'Xen\0', b'Nex\0'),
        'cut.xml': domain('cut', '/cut.elf', 32), 'plain.xml': domain('plain', '/plain.elf', 32),
        'host.xml': host_xml('/cut.xml', '/plain.xml'),
    }
    with boot(name, folder(name, files)) as machine:
        text = machine.finish(1)
    said(text, '/cut.xml', 7)
    said(text, '/plain.xml', 7)


def test_truncated_bundle(name):
    """The core says that the bundle is cut short; nothing else can be done."""
    path = folder(name, {'host.xml': host_xml()})
    bundle = os.path.join(path, 'cut.cpio')
    with open(bundle, 'wb') as out:
        out.write(b'070701' + b'0' * 50)
    with boot(name, path, '--qemu', f'-initrd {bundle}') as machine:
        machine.expect(r'^\[core\] .*bundle')
        machine.finish(1)


def test_corrupt_gpt(name):
    """Both tables broken: the disk's line says so. One broken: the other is used."""
    for case, spoil, status in (('both', (512, -512), 1), ('first', (512,), 0)):
        image = raw_disk(f'{name}-{case}')
        with open(image, 'r+b') as out:
            for at in spoil:
                out.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
                out.write(b'EFI PART' + b'\xff' * 504)
        guest = domain('small', '/vmlinuz', 128, '/busybox.img', 'console=hvc0 quiet after=poweroff',
                       disk('/dev/nvme0n1p1'))
        files = {'block.xml': block(), 'small.xml': guest,
                 'host.xml': host_xml('/block.xml', '/small.xml')}
        with boot(f'{name}-{case}', folder(f'{name}-{case}', files, KERNELS),
                  '--disk', image) as machine:
            text = machine.finish(status)
        if case == 'both':
            said(text, '/small.xml')


def test_io_errors(name):
    """Sectors that the disk cannot read: EIO in the guest, which lives and reads the others."""
    image = raw_disk(name, gpt=False)
    rules = os.path.join(BUILD, 'e2e', name + '.rules')
    with open(rules, 'w', encoding='ascii') as out:
        out.write('[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "2048"\n'
                  'once = "off"\n')
    guest = domain('small', '/vmlinuz', 128, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    files = {'block.xml': block(), 'small.xml': guest,
             'host.xml': host_xml('/block.xml', '/small.xml')}
    options = ('--qemu', f'-drive if=none,id=bad,format=raw,file=blkdebug:{rules}:{image}',
               '--device', 'nvme,serial=bad,drive=bad,addr=04.0')
    with boot(name, folder(name, files, KERNELS), *options) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        machine.send('while [ ! -b /dev/xvda ]; do sleep 0.1; done')
        machine.send('dd if=/dev/xvda of=/dev/null bs=512 skip=2048 count=1; echo bad $?')
        machine.expect(r'^\[small\] bad 1$')
        machine.send('dd if=/dev/xvda of=/dev/null bs=512 count=1; echo good $?')
        machine.expect(r'^\[small\] good 0$')
        machine.send('poweroff -f')
        machine.finish(0)
