"""The demo's guest: Debian to its login, its disk, and a reboot."""

import os
import subprocess

from host import BUILD, DEMO, ROOT, folder, overlay
from machine import Failure, attach, boot, equal


def demo(name):
    """The demo's own folder, under another name."""
    files = {}
    for file in ('host.xml', 'block.xml', 'debian.xml'):
        with open(os.path.join(ROOT, 'toolstack', 'demo', file), encoding='ascii') as text:
            files[file] = text.read()
    return folder(name, files, ['vmlinuz', 'initrd.img'])


def log_in(machine):
    """Attaches to the guest, waits for its login, and gets a shell with a plain prompt."""
    machine.expect(r'^\[control\] debian: started')
    attach(machine, 'debian', r'debian login: ')
    machine.send('root')
    machine.expect(r'root@debian:~# ')
    machine.send("bind 'set enable-bracketed-paste off'; PS1='ready> '; stty -echo")
    machine.expect(r'ready> ')


def shell(machine, command):
    """Runs a command in the guest; fails if it does."""
    machine.send(command + '; echo "status $?"')
    status = machine.expect(r'status (\d+)')
    if status.group(1) != '0':
        raise Failure(f'in the guest: {command}: status {status.group(1)}')
    machine.expect(r'ready> ')


def check_file_system(image):
    """The partition is clean and consistent, seen from outside."""
    raw = image + '.raw'
    subprocess.run(['qemu-img', 'convert', '-O', 'raw', image, raw], check=True)
    done = subprocess.run(['/usr/sbin/e2fsck', '-f', '-n', raw + '?offset=1048576'],
                          capture_output=True, text=True, check=False)
    os.unlink(raw)
    equal(done.returncode, 0, f'the status of e2fsck ({done.stdout})')


def test_disk_survives_reboot(name):
    """64 MiB written, the guest rebooted, read back; the file system is clean in the end."""
    image = overlay(name)
    with boot(name, demo(name), '--disk', image, guard=600) as machine:
        log_in(machine)
        shell(machine, 'dd if=/dev/urandom of=/root/data bs=1M count=64 status=none')
        shell(machine, 'sha256sum /root/data > /root/sum && sync')
        machine.send('reboot')
        machine.expect(r'debian login: ')
        machine.send('root')
        machine.expect(r'root@debian:~# ')
        machine.send("bind 'set enable-bracketed-paste off'; PS1='ready> '; stty -echo")
        machine.expect(r'ready> ')
        shell(machine, 'sha256sum -c /root/sum')
        shell(machine, 'test -z "$(dmesg -l err,crit,alert,emerg | grep -i -e ext4 -e xvda)"')
        machine.send('poweroff')
        machine.finish(0)
    check_file_system(image)
