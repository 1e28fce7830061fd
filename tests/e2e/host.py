"""Hosts to boot: folders under build/e2e, put together from XML and what the build made."""

import gzip
import os
import shutil
import subprocess
import threading

from machine import BUILD, ROOT

DEMO = os.path.join(BUILD, 'demo')

# What XML of a test may name, and where it comes from.
BLOBS = {
    'vmlinuz': os.path.join(DEMO, 'host', 'vmlinuz'),
    'initrd.img': os.path.join(DEMO, 'host', 'initrd.img'),
    'busybox.img': os.path.join(BUILD, 'busybox', 'initrd.img'),
    'net.img': os.path.join(BUILD, 'busybox', 'net.img'),
    'small.img': os.path.join(BUILD, 'busybox', 'net.img'),
    'netrubbish.elf': os.path.join(BUILD, 'meson', 'tests', 'netrubbish', 'netrubbish.elf'),
    'linux.img': os.path.join(BUILD, 'linux', 'initrd.img'),
    'firewall.img': os.path.join(BUILD, 'linux', 'firewall.img'),
}
GUESTS = os.path.join(BUILD, 'meson', 'tests', 'guests')

PVH = '<type arch="x86_64" machine="xenpvh">xenpvh</type>'


def domain(name, kernel, memory=64, initrd='', cmdline='', devices='', extra=''):
    """A domain's XML; each element on a line of its own, so that line numbers mean something."""
    lines = ["<domain type='xen'>", f'<name>{name}</name>', f"<memory unit='MiB'>{memory}</memory>",
             '<vcpu>1</vcpu>', '<os>', PVH.replace('"', "'"), f'<kernel>{kernel}</kernel>']
    if initrd:
        lines.append(f'<initrd>{initrd}</initrd>')
    if cmdline:
        lines.append(f'<cmdline>{cmdline}</cmdline>')
    lines.append('</os>')
    lines += [line for line in extra.splitlines() if line]
    if devices:
        lines += ['<devices>', *devices.splitlines(), '</devices>']
    return '\n'.join(lines + ['</domain>']) + '\n'


def disk(source, target='xvda', backend='', readonly=False):
    """A disk's XML."""
    return ("<disk type='block' device='disk'>\n<driver name='phy'/>\n"
            f"<source dev='{source}'/>\n<target dev='{target}' bus='xen'/>\n"
            + (f"<backenddomain name='{backend}'/>\n" if backend else '')
            + ('<readonly/>\n' if readonly else '') + '</disk>')


def interface(bridge='br0', mac='', backend='', inner=''):
    """A network interface's XML."""
    return ("<interface type='bridge'>\n" + (f"<mac address='{mac}'/>\n" if mac else '')
            + f"<source bridge='{bridge}'/>\n"
            + (f"<backenddomain name='{backend}'/>\n" if backend else '') + inner + '</interface>')


def function(slot):
    """The XML of a PCI function on bus 0."""
    return ("<hostdev mode='subsystem' type='pci' managed='yes'>\n<source>\n"
            f"<address domain='0x0000' bus='0x00' slot='0x{slot:02x}' function='0x0'/>\n"
            '</source>\n</hostdev>')


def net(name='net', slots=(16,), cmdline=''):
    """The net driver domain's XML."""
    return domain(name, '/bulkhead/net.elf', 32, cmdline=cmdline,
                  devices='\n'.join(map(function, slots)))


def block(name='block', slots=(4,)):
    """The block driver domain's XML."""
    return domain(name, '/bulkhead/block.elf', 32, devices='\n'.join(map(function, slots)))


def busybox(name='small', after='poweroff', memory=128):
    """A small Linux guest that says one line and then does what AFTER says."""
    cmdline = 'console=hvc0 quiet' + (f' after={after}' if after else '')
    return domain(name, '/vmlinuz', memory, '/busybox.img', cmdline)


def cpio(files):
    """An archive (newc) of executable files, name to bytes."""
    out = b''
    for name, data in {**files, 'TRAILER!!!': b''}.items():
        raw = name.encode() + b'\0'
        fields = [0, 0o100755, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        out += b'070701' + b''.join(b'%08x' % f for f in fields) + raw
        out += b'\0' * (-len(out) % 4) + data
        out += b'\0' * (-len(out) % 4)
    return out


def image(blob, files):
    """An initramfs with executable files on top: name to bytes."""
    with open(BLOBS[blob], 'rb') as base:
        return base.read() + gzip.compress(cpio(files))


def small(name, words, *interfaces, memory=128):
    """A small Linux guest with netprobe and interfaces; WORDS go to its command line."""
    return domain(name, '/vmlinuz', memory, '/probe.img', f'console=hvc0 quiet {words}',
                  '\n'.join(interfaces))


def probe_image():
    """Makes the image of small()."""
    path = os.path.join(BUILD, 'e2e', 'probe.img')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.path.join(BUILD, 'meson', 'tests', 'netprobe', 'netprobe'), 'rb') as probe:
        content = image('net.img', {'bin/netprobe': probe.read()})
    # Tests run at the same time.
    part = f'{path}.{threading.get_ident()}'
    with open(part, 'wb') as out:
        out.write(content)
    os.replace(part, path)
    return path


def host_xml(*files, iommu='yes', manual=(), faults=False):
    """host.xml over domain files, one a line; those in MANUAL are not started. Unless IOMMU is
    'no', a domain with a device needs an IOMMU to contain it. FAULTS may be injected."""
    lines = ['<host>', f"<iommu required='{iommu}'/>"]
    if faults:
        lines.append("<fault-injection allowed='yes'/>")
    for file in files:
        start = " autostart='no'" if file in manual else ''
        lines.append(f"<domain file='{file}'{start}/>")
    return '\n'.join(lines + ['</host>']) + '\n'


def folder(name, files, blobs=()):
    """Makes the folder: FILES is name to text or bytes, BLOBS are names of what was built."""
    path = os.path.join(BUILD, 'e2e', name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for file, content in files.items():
        with open(os.path.join(path, file), 'wb') as out:
            out.write(content.encode() if isinstance(content, str) else content)
    for blob in blobs:
        source = probe_image() if blob == 'probe.img' else (
            BLOBS.get(blob) or os.path.join(GUESTS, blob))
        os.symlink(source, os.path.join(path, blob))
    return path


def host(name, domains, blobs=(), **options):
    """A host of domains: name of the XML file to its text."""
    files = {file.lstrip('/'): text for file, text in domains.items()}
    files['host.xml'] = host_xml(*domains, **options)
    return folder(name, files, blobs)


def overlay(name):
    """A throw-away disk over the demo's; qcow2, so that format is tried, too."""
    path = os.path.join(BUILD, 'e2e', name + '.qcow2')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b',
                    os.path.join(DEMO, 'disk.img'), path], check=True)
    return path


def raw_disk(name, mib=16, gpt=True):
    """A small raw disk, with one partition "data" or with nothing on it."""
    path = os.path.join(BUILD, 'e2e', name + '.img')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.truncate(mib << 20)
    if gpt:
        subprocess.run(['/usr/sbin/sfdisk', '-q', path], check=True, text=True,
                       input='label: gpt\nstart=1MiB, type=linux, name=data\n')
    return path


__all__ = ['BUILD', 'ROOT', 'DEMO', 'GUESTS', 'domain', 'disk', 'interface', 'function', 'net',
           'block', 'busybox', 'small', 'probe_image', 'cpio', 'image', 'host_xml', 'folder', 'host',
           'overlay', 'raw_disk']
