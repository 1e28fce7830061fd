"""The demo: Debian to its login, its disk, its network, the small guest beside it, and a reboot."""

import http.client
import os
import socket
import subprocess
import time
import urllib.request

from guest import Guest
from host import BUILD, DEMO, ROOT, folder, overlay
from machine import Failure, attach, boot, equal
from wire import free_port

# How often a page is asked for, a second apart.
TRIES = 300


def demo(name):
    """The demo's own folder, under another name."""
    files = {}
    for file in ('host.xml', 'block.xml', 'net.xml', 'debian.xml', 'small.xml'):
        with open(os.path.join(ROOT, 'toolstack', 'demo', file), encoding='ascii') as text:
            files[file] = text.read()
    return folder(name, files, ['vmlinuz', 'initrd.img', 'small.img'])


def page(port):
    """The guest's page through a port of this machine, as ./run forwards it."""
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=30) as answer:
                return answer.read().decode()
        # QEMU accepts for a guest that does not listen yet, and then closes.
        except (OSError, http.client.HTTPException):
            time.sleep(1)
    raise Failure('the guest serves no page')


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


def test_demo(name):
    """Addresses, a page from outside and from the other guest; 64 MiB written, the guest rebooted,
    read back, the page again; the file system is clean in the end."""
    image = overlay(name)
    port = free_port(socket.SOCK_STREAM)
    card = f'user,model=e1000e,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:80'
    with boot(name, demo(name), '--disk', image, '--nic', card, guard=900) as machine:
        log_in(machine)
        shell(machine, '/usr/lib/systemd/systemd-networkd-wait-online -i enX0')
        if 'Debian in Bulkhead' not in page(port):
            raise Failure('another page')
        shell(machine, 'ip -4 address show dev enX0 | grep -q "inet 10.0.2.15/24"')
        shell(machine, 'ping -c 2 -q 10.0.2.20')
        shell(machine, 'grep -q 10.0.2.3 /run/systemd/resolve/resolv.conf')
        shell(machine, 'dd if=/dev/urandom of=/root/data bs=1M count=64 status=none')
        shell(machine, 'sha256sum /root/data > /root/sum && sync')
        machine.type('\x1d')
        small = Guest(machine, 'small')
        small.run('ip address show eth0 | grep -q "inet 10.0.2.20/24"')
        small.run('wget -q -O - http://10.0.2.15/ | grep -q Bulkhead')
        small.leave()
        attach(machine, 'debian', r'ready> ')
        machine.send('reboot')
        machine.expect(r'debian login: ')
        machine.send('root')
        machine.expect(r'root@debian:~# ')
        machine.send("bind 'set enable-bracketed-paste off'; PS1='ready> '; stty -echo")
        machine.expect(r'ready> ')
        shell(machine, 'sha256sum -c /root/sum')
        shell(machine, 'test -z "$(dmesg -l err,crit,alert,emerg | grep -i -e ext4 -e xvda -e vif)"')
        page(port)
        machine.type('\x1d')
        machine.send('poweroff')
        machine.finish(0)
    check_file_system(image)
