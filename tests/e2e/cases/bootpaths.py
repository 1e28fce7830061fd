"""The three ways to power on: QEMU's PVH entry (every other test), GRUB by BIOS and by UEFI."""

import os
import shutil
import subprocess

from host import BUILD, ROOT, domain, function, host
from machine import Machine

FIRMWARE = '/usr/share/OVMF'


def boot_iso(name, *options, path='', ready=r'\[hello\] '):
    """Writes the ISO of a host, boots it until a line comes, powers off. By default one with one
    domain that says hello."""
    path = path or host(name, {'/hello.xml': domain('hello', '/bulkhead/hello.elf', 16)})
    iso = os.path.join(BUILD, 'e2e', name + '.iso')
    subprocess.run([os.path.join(ROOT, 'run'), '--headless', '--iso', iso, path],
                   check=True, stdin=subprocess.DEVNULL)
    # debug_exit's status: 33 is the core's 0.
    command = ['qemu-system-x86_64', '-machine', 'q35', '-cpu', 'EPYC', '-accel', 'tcg',
               '-m', '1024', '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
               '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-cdrom', iso, *options]
    with Machine(name, command) as machine:
        machine.expect(r'\[core\] .*multiboot2')
        machine.expect(ready)
        machine.send('poweroff')
        machine.finish(33)
    os.unlink(iso)


def test_bios(name):
    boot_iso(name)


def uefi(name):
    """QEMU's options for UEFI firmware."""
    variables = os.path.join(BUILD, 'e2e', name + '.fd')
    os.makedirs(os.path.dirname(variables), exist_ok=True)
    shutil.copy(os.path.join(FIRMWARE, 'OVMF_VARS_4M.fd'), variables)
    return ('-drive', 'if=pflash,format=raw,readonly=on,file='
            + os.path.join(FIRMWARE, 'OVMF_CODE_4M.fd'),
            '-drive', f'if=pflash,format=raw,file={variables}')


def test_uefi(name):
    boot_iso(name, *uefi(name))


def test_linux_driver(name):
    """GRUB puts a large bundle where a Linux driver domain has to be: the core moves it."""
    path = host(name, {'/driver.xml': domain('driver', '/vmlinuz', 160, '/linux.img',
                                             'console=hvc0 quiet swiotlb=8192,force', function(16))},
                ['vmlinuz', 'linux.img'], iommu='no')
    boot_iso(name, *uefi(name), '-netdev', 'user,id=net',
             '-device', 'e1000e,netdev=net,bus=pcie.0,addr=10.0',
             path=path, ready=r'\[driver\] .*eth0 is a port of br0')
