"""A stock Linux kernel as driver domain: it owns a card and a disk, guests use them."""

import hashlib
import http.server
import os
import re
import threading

import verify
from guest import Guest
from host import busybox, disk, domain, function, host, raw_disk
from load import tcp_counters
from machine import Failure, attach, boot, equal
from pages import Pages

from cases.disks import hash_of, shell, write_and_compare

BLOBS = ['vmlinuz', 'linux.img', 'net.img']
NIC = ('--nic', 'user,model=e1000e')
INTERFACE = ("<interface type='bridge'>\n<source bridge='br0'/>\n"
             "<backenddomain name='driver'/>\n</interface>")


def driver(name='driver', slots=(4, 16), memory=256):
    """The driver domain's XML."""
    return domain(name, '/vmlinuz', memory, '/linux.img', 'console=hvc0 quiet',
                  '\n'.join(map(function, slots)))


def guest(name='small', *devices):
    """A guest with an address by DHCP, if it has an interface."""
    return domain(name, '/vmlinuz', 192, '/net.img', 'console=hvc0 quiet net0=dhcp',
                  '\n'.join(devices))


class Page(http.server.BaseHTTPRequestHandler):
    """Answers with the same random bytes each time."""
    body = os.urandom(1 << 20)

    def do_GET(self):  # noqa: N802
        """One page."""
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        """Nothing."""


def card_and_disk(name, iommu):
    """Address by DHCP, ping, a page; a disk written and read back. The driver domain's command
    line, and the line about it in the list."""
    image = raw_disk(name)
    path = host(name, {'/driver.xml': driver(),
                       '/small.xml': guest('small', disk('/dev/nvme0n1p1', 'xvda', 'driver'),
                                           INTERFACE)},
                BLOBS, iommu='no' if iommu == 'none' else 'yes')
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server, boot(name, path, '--iommu', iommu, '--disk', image, *NIC) as machine:
        machine.expect(r'^\[driver\] .*eth0 is a port of br0')
        machine.expect(r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        listed = machine.ask('list', r'^\[control\] +\d+ +driver .*\n').group()
        attach(machine, 'driver', r'^\[driver\] / # ')
        cmdline = shell(machine, 'cat /proc/cmdline', 'driver')
        machine.type('\x1d')
        attach(machine)
        shell(machine, 'ping -c 3 -q 10.0.2.2 >/dev/null; echo reached')
        found = shell(machine, f'wget -q -O - http://10.0.2.2:{server.server_port}/ | md5sum')
        equal(found.split()[0], hashlib.md5(Page.body).hexdigest(), "the page's hash")
        written = write_and_compare(machine, 'xvda')
        machine.send('poweroff -f')
        machine.expect(r'^\[control\] small: powered off')
        machine.finish(0)
        server.shutdown()
    equal(written, hash_of(image, 1 << 20), 'the partition')
    return listed, cmdline


def test_card_and_disk(name):
    """Behind an IOMMU, in ordinary memory."""
    listed, cmdline = card_and_disk(name, 'intel')
    equal(('UNSAFE' in listed, 'swiotlb' in cmdline), (False, False), 'unsafe, and copied')


def test_card_and_disk_without(name):
    """The same without an IOMMU, in the machine's own memory."""
    listed, cmdline = card_and_disk(name, 'none')
    equal(('UNSAFE' in listed, 'swiotlb=force' in cmdline), (True, True), 'unsafe, and copied')


def create(machine):
    """Starts the guest, when the end of its last life is over."""
    while 'exists already' in machine.ask(
            'create /small.xml', r'^\[control\] (small: started|.*exists already)').group():
        pass


def once_more(machine):
    """The driver domain is destroyed and made anew; guests come and go."""
    machine.ask('destroy driver', r'^\[control\] .*destroyed')
    machine.ask('create /driver.xml', r'^\[control\] driver: started')
    machine.expect(r'^\[driver\] .*eth0 is a port of br0')
    for verb, end in (('shutdown', 'small: powered off'), ('destroy', 'Domain small destroyed')):
        create(machine)
        machine.expect(r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        machine.ask(f'{verb} small', rf'^\[control\] {end}')


def two_drivers(name, iommu):
    """A host with two such driver domains, the second not started; a machine with their disks."""
    path = host(name, {'/driver.xml': driver(), '/second.xml': driver('second', [5], 128),
                       '/small.xml': guest('small', disk('/dev/nvme0n1', 'xvda', 'driver'),
                                           INTERFACE),
                       '/other.xml': busybox('other', after='')},
                [*BLOBS, 'busybox.img'], manual=['/second.xml', '/small.xml'],
                iommu='no' if iommu == 'none' else 'yes')
    return boot(name, path, '--iommu', iommu, '--disk', raw_disk(name), '--disk',
                raw_disk(name + '-2'), *NIC, guard=300)


def test_once_more(name):
    """Destroyed and made anew, beside a second such domain, which goes on."""
    with two_drivers(name, 'intel') as machine:
        machine.expect(r'^\[driver\] .*eth0 is a port of br0')
        machine.ask('create /second.xml', r'^\[control\] second: started')
        once_more(machine)
        machine.ask('dominfo second', r'^\[control\] State: +running')
        machine.send('poweroff --now')
        machine.finish(0)
        machine.absent('does not let go')
        machine.absent('IOMMU: PCI')


def test_once_more_without(name):
    """Without an IOMMU it gets its place in memory back, and a second such domain has no place."""
    with two_drivers(name, 'none') as machine:
        machine.expect(r'^\[driver\] .*eth0 is a port of br0')
        machine.ask('create /second.xml',
                    r'^\[control\] .*/vmlinuz must stand at 16 MiB in the machine')
        once_more(machine)
        machine.send('poweroff')
        machine.finish(1)  # The second one failed.
        machine.absent('does not let go')


# Pages one after another; each one's sum says whether its connection held. This driver is away for
# seconds: a connection that was never made, as its neighbour did not answer, is tried again.
LOADS = ('while [ ! -e /tmp/stop ]; do rm -f /tmp/page; wget -q -O /tmp/page {url}; '
         '[ ! -s /tmp/page ] || md5sum </tmp/page >>/tmp/pages; done &')
# What a front end says that has lost its back end, or had an error of it.
NOTICED = r'blkfront|xen_netfront|I/O error|Buffer I/O|EXT4|link becomes|broken'


def restart(machine):
    """The driver domain starts anew."""
    machine.ask('restart driver', r'^\[control\] driver: asked to let go')
    machine.expect(r'^\[control\] driver: started \(id (\d+)\)')
    machine.expect(r'^\[control\] driver: restarted; its guests waited \d+')


def goes_on(shell):
    """Both the disk and the net are used: two more rounds of each."""
    shell.run('for f in sums pages; do n=$(wc -l </tmp/$f); '
              'while [ $(wc -l </tmp/$f) -lt $((n + 2)) ]; do sleep 1; done; done')
    shell.leave()


def second_thoughts(machine):
    """It is asked to let go, has, and is asked to go on: the same life takes everything up again."""
    number = machine.ask('list', r'^\[control\] +(\d+) +driver ').group(1)
    home = f'/local/domain/{number}/control'
    for wanted in '90':
        machine.ask(f'store write {home}/detach {wanted}', '')
        while machine.ask(f'store read {home}/detached', r'^\[control\] (?:error: .*|[09])$'
                          ).group()[-1] != wanted:
            pass


def under_load(name, iommu, *acts):
    """A guest writes, reads and loads pages while its driver domain is acted upon."""
    image = raw_disk(name, mib=64, gpt=False)
    path = host(name, {'/driver.xml': driver(),
                       '/small.xml': guest('small', disk('/dev/nvme0n1', 'xvda', 'driver'),
                                           INTERFACE)},
                BLOBS, iommu='no' if iommu == 'none' else 'yes')
    with Pages(24 << 20) as pages, boot(name, path, '--iommu', iommu, '--disk', image, *NIC,
                                        guard=400) as machine:
        machine.expect(r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'small')
        wanted = verify.start(shell, mib=8)
        shell.run('touch /tmp/sums /tmp/pages')
        shell.run(LOADS.format(url=pages.url))
        shell.leave()
        for act in acts:
            act(machine)
            goes_on(shell)
        verify.stop(shell, wanted)
        equal(set(shell.run('cat /tmp/pages').split()) - {'-'}, {pages.md5}, 'the pages')
        equal(tcp_counters(shell.run('cat /proc/net/snmp'))['EstabResets'], 0, 'resets')
        said = shell.run('dmesg')
        if re.search(NOTICED, said):
            raise Failure(f'the guest noticed: {said}')
        shell.run('sync')
        machine.send('poweroff -f')
        machine.finish(0)
    with open(image, 'rb') as file:
        equal(hashlib.md5(file.read(8 << 20)).hexdigest(), wanted, 'the image')


def test_restart(name):
    """Restarted by its word: files stay right, connections hold, the guest's kernel says nothing."""
    under_load(name, 'intel', restart, restart)


def test_restart_without(name):
    """Without an IOMMU, in the machine's own memory. A domain that has let go and is then asked to go
    on serves on, and can be restarted later."""
    under_load(name, 'none', second_thoughts, restart)
