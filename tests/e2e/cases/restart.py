"""What serves others and dies, or is told to start again, comes back in place: they see a pause.
Driver domains die more often in longrun.py."""

import hashlib
import os
import re

import verify
from guest import Guest
from host import block, disk, domain, host, interface, net, raw_disk, small
from machine import Failure, boot, equal
from pages import Pages

ON_CRASH = '<on_crash>restart</on_crash>'
LIVES = 6
# What a stock front end says when it loses its back end or starts anew with it.
RECONNECTED = r'blkfront.*xvda|xen_netfront|I/O error|vbd|Setting capacity'


def ours(xml):
    """The same domain, to be started again when it crashes."""
    return xml.replace('</os>\n', f'</os>\n{ON_CRASH}\n')


def lives(machine, name, count):
    """Ends so many lives, in turn by word and by an exception; each must find its front ends."""
    for life in range(count):
        if life % 2:
            machine.send(f'inject-nmi {name}')
        else:
            machine.send(f'restart {name}')
        machine.expect_all(rf'^\[control\] {name}: serves again',
                           rf'^\[{name}\] v[bi][df] .*: adopted')


def unnoticed(shell):
    """Fails if the guest's kernel has said anything of a device that went."""
    said = shell.run('dmesg')
    if re.search(RECONNECTED, said):
        raise Failure(f'the guest noticed: {said}')


def test_disk(name):
    """Files are written, flushed and read while the disk's driver dies: all are right, no error."""
    image = raw_disk(name, mib=96, gpt=False)
    guest = domain('small', '/vmlinuz', 224, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    path = host(name, {'/block.xml': ours(block()), '/small.xml': guest}, ['vmlinuz', 'busybox.img'],
                iommu='yes')
    with boot(name, path, '--iommu', 'intel', '--disk', image, guard=400) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        wanted = verify.start(shell)
        shell.leave()
        machine.ask('inject block crash', r'host\.xml:1: fault injection is not allowed')
        lives(machine, 'block', 2)
        verify.stop(shell, wanted)
        unnoticed(shell)
        shell.run('sync')
        machine.send('poweroff -f')
        machine.finish(1)  # Domains crashed.
    with open(image, 'rb') as file:
        equal(hashlib.md5(file.read(24 << 20)).hexdigest(), wanted, 'the image')


def test_network(name):
    """A download and echoes go on while the net domain dies again and again."""
    path = host(name, {'/net.xml': ours(net()),
                       '/one.xml': small('one', 'net0=dhcp', interface(), memory=160)},
                ['vmlinuz', 'probe.img'], iommu='yes')
    with Pages(48 << 20) as pages, boot(name, path, '--iommu', 'intel', '--nic',
                                        'user,model=e1000e', guard=400) as machine:
        machine.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'one')
        shell.run('dmesg -c >/dev/null')
        shell.run(f'(wget -q -O - {pages.url} | md5sum >/tmp/sum; touch /tmp/done) &')
        shell.leave()
        lives(machine, 'net', 2)
        got = shell.run('while [ ! -e /tmp/done ]; do ping -c 1 -W 20 10.0.2.2 >/dev/null || '
                        'touch /tmp/lost; done; cat /tmp/sum').split()[0]
        equal(got, pages.md5, 'the page')
        shell.run('[ ! -e /tmp/lost ]')
        unnoticed(shell)
        machine.send('poweroff -f')
        machine.finish(1)


def test_between_guests(name):
    """Streams from one guest to another go on while their net domain dies, and none of it goes to
    the wire, where QEMU's user network would reset them."""
    path = host(name, {
        '/net.xml': ours(net()),
        '/one.xml': small('one', 'net0=10.0.2.15/24', interface(), memory=112),
        '/two.xml': small('two', 'net0=10.0.2.16/24', interface(), memory=192),
    }, ['vmlinuz', 'probe.img'], iommu='yes')
    with boot(name, path, '--iommu', 'intel', '--nic', 'user,model=e1000e', guard=400) as machine:
        machine.expect_all(r'^\[one\] .*busybox: net0 10\.0\.2\.15',
                           r'^\[two\] .*busybox: net0 10\.0\.2\.16')
        one, two = Guest(machine, 'one'), Guest(machine, 'two')
        two.run('mkdir /tmp/w; dd if=/dev/urandom of=/tmp/w/page bs=1M count=24 2>/dev/null; '
                'httpd -h /tmp/w')
        wanted = two.run('md5sum </tmp/w/page').split()
        two.leave()
        one.run('(while [ ! -e /tmp/stop ]; do wget -q -O - http://10.0.2.16/page | md5sum; done '
                '>/tmp/sums; touch /tmp/done) &')
        one.leave()
        lives(machine, 'net', 6)
        got = one.run('touch /tmp/stop; while [ ! -e /tmp/done ]; do sleep 1; done; '
                      'sort -u /tmp/sums').split()
        equal(got, wanted, 'each page')
        for guest in (one, two):
            resets = guest.run("awk '/^Tcp: [0-9]/{print $9}' /proc/net/snmp")
            equal(resets, '0', 'how many connections were reset')
            guest.leave()
        machine.send('poweroff --now')
        machine.finish(1)


def end(machine, name, life):
    """Ends a life of a service, in turn by word and by an exception."""
    machine.send(f'{"inject-nmi" if life % 2 else "restart"} {name}')


def test_store(name):
    """Guests with interfaces come and go while the store dies again and again, and notice nothing."""
    guests = [small(guest, 'net0=dhcp', interface(), memory=112) for guest in ('one', 'two')]
    path = host(name, {'/net.xml': ours(net()), '/one.xml': guests[0], '/two.xml': guests[1]},
                ['vmlinuz', 'probe.img'], iommu='yes', manual=('/two.xml',))
    with boot(name, path, '--iommu', 'intel', '--nic', 'user,model=e1000e', guard=400) as machine:
        machine.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'one')
        shell.run('dmesg -c >/dev/null')
        shell.leave()
        for life in range(LIVES):
            # The store dies when it next runs: in the middle of what `create` asks of it.
            end(machine, 'store', life)
            machine.send('create /two.xml')
            machine.expect(r'^\[store\] taken over from the last life: \d+ nodes')
            machine.expect(r'^\[control\] two: started')
            end(machine, 'store', life + 1)
            machine.expect(r'^\[two\] .*busybox: eth0 10\.0\.2\.\d+')
            end(machine, 'store', life)
            machine.send('restart net')
            machine.expect(r'^\[net\] vif .*: adopted')
            end(machine, 'store', life + 1)
            machine.ask('destroy two', r'^\[control\] Domain two destroyed')
        shell.run('ping -c 1 -W 20 10.0.2.2 >/dev/null')
        said = shell.run('dmesg')
        if re.search(RECONNECTED + '|xenbus|xenstore', said):
            raise Failure(f'the guest noticed: {said}')
        machine.send('poweroff -f')
        machine.finish(1)
        machine.absent(r'makes no sense|is lost|loses the tree|must be restarted')


def printing(name, lives, end_life, faults=False):
    """A guest prints numbered lines while the console's lives end as END_LIFE has it: each line
    arrives."""
    path = host(name, {'/small.xml': domain('small', '/vmlinuz', 112, '/busybox.img',
                                            'console=hvc0 quiet')}, ['vmlinuz', 'busybox.img'],
                faults=faults)
    with boot(name, path, guard=300) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        shell.run('dmesg -c >/dev/null')
        shell.run('(i=0; while [ $i -lt 20000 ]; do echo "line-$i-"; i=$((i+1)); done) &')
        shell.leave()
        machine.expect(r'^\[small\] line-\d+-')
        for life in range(lives):
            end_life(machine, life)
            machine.expect(r'^\[control\] console: started again in place')
            machine.expect(r'^\[small\] line-\d+-')
        machine.expect(r'^\[small\] line-19999-')
        # A line of somebody else's may stand in the middle of one.
        own = ''.join(line.removeprefix('[small] ') for line in machine.text.splitlines()
                      if line.startswith('[small] '))
        said = [int(number) for number in re.findall(r'line-(\d+)-', own)]
        seen = set(said)
        # A death may show what was just being shown, at most 1 KiB, once more.
        missing = [number for number in range(20000) if number not in seen][:9]
        equal(missing, [], 'the first lines that are missing')
        equal(list(dict.fromkeys(said)) == list(range(20000)), True, 'whether lines came in order')
        if len(said) - 20000 > lives * 1024 // len('line-0-\n'):
            raise Failure(f'{len(said) - 20000} lines came twice')
        said = shell.run('dmesg')
        if re.search('hvc|xenbus|xenstore', said):
            raise Failure(f'the guest noticed: {said}')
        machine.send('poweroff -f')
        machine.finish(1)


def test_console(name):
    """A guest prints numbered lines while the console dies again and again: each arrives."""
    printing(name, LIVES, lambda machine, life: end(machine, 'console', life))


def again(machine, life):
    """The control domain dies, and its next life finds the others; the machine is at its prompt."""
    machine.send('inject-nmi control')
    machine.expect(rf'^\[control\] control: started again in place \(life {life}\) .*: the last life '
                   r'was ended by an NMI; \d+ domains? found')


# The core takes five deaths in ten seconds, and there is another one at the end.
CONTROL_LIVES = 4


def test_control(name):
    """Disk and download of a guest go on while the control domain dies again and again; the next
    life has all domains in its hands: deaths, restarts, ends and begins."""
    image = raw_disk(name, mib=96, gpt=False)
    guest = domain('small', '/vmlinuz', 224, '/net.img', 'console=hvc0 quiet net0=dhcp',
                   disk('/dev/nvme0n1') + interface())
    path = host(name, {'/block.xml': ours(block()), '/net.xml': ours(net()), '/small.xml': guest,
                       '/two.xml': domain('two', '/vmlinuz', 96, '/busybox.img',
                                          'console=hvc0 quiet')},
                ['vmlinuz', 'net.img', 'busybox.img'], iommu='yes', manual=('/two.xml',))
    with Pages(24 << 20) as pages, boot(name, path, '--iommu', 'intel', '--disk', image, '--nic',
                                        'user,model=e1000e', guard=500) as machine:
        machine.expect(r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        machine.ask('create /two.xml', r'^\[two\] busybox: up after ')
        shell = Guest(machine, 'small')
        wanted = verify.start(shell)
        shell.run(f'(wget -q -O - {pages.url} | md5sum >/tmp/sum; touch /tmp/done) &')
        shell.leave()
        for life in range(CONTROL_LIVES):
            if life % 2:  # Both at once: whichever life comes to it brings the store back.
                machine.send('inject-nmi store')
            again(machine, life + 2)
        machine.ask('list', r'^\[control\]  \d+ +block +running')
        for other in ('net', 'small', 'two'):
            machine.expect(rf'^\[control\]  \d+ +{other} +running')
        machine.ask('domcrash control', r'^\[control\] exception 2 \(NMI\)')
        lives(machine, 'block', 2)
        lives(machine, 'net', 2)
        got = shell.run('while [ ! -e /tmp/done ]; do sleep 1; done; cat /tmp/sum').split()[0]
        equal(got, pages.md5, 'the page')
        verify.stop(shell, wanted)
        unnoticed(shell)
        shell.run('sync')
        shell.leave()
        machine.ask('destroy two', r'^\[control\] Domain two destroyed')
        again(machine, CONTROL_LIVES + 2)
        machine.ask('list --all', r'^\[control\]  - +two +shut off')
        machine.ask('create /two.xml', r'^\[two\] busybox: up after ')
        machine.ask('shutdown small', r'^\[control\] small: powered off')
        machine.ask('create /small.xml', r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        machine.send('poweroff --now')
        machine.finish(1)
    with open(image, 'rb') as file:
        equal(hashlib.md5(file.read(24 << 20)).hexdigest(), wanted, 'the image')


def test_control_halfway(name):
    """The control domain dies while a guest is being built, and again while the host goes down: both
    go on. A domain that no host.xml names is found by what was noted when it was created."""
    image = raw_disk(name, mib=16, gpt=False)
    small_xml = domain('small', '/vmlinuz', 96, '/busybox.img', 'console=hvc0 quiet',
                       disk('/dev/nvme0n1'))
    three = domain('three', '/vmlinuz', 96, '/busybox.img', 'console=hvc0 quiet')
    # What a file names is in the bundle, be it an XML file.
    other = domain('other', '/vmlinuz', 64, '/three.xml')
    path = host(name, {'/block.xml': ours(block()), '/small.xml': small_xml, '/other.xml': other},
                ['vmlinuz', 'busybox.img'], iommu='yes', manual=('/other.xml',))
    with open(os.path.join(path, 'three.xml'), 'w') as file:
        file.write(three)
    with boot(name, path, '--iommu', 'intel', '--disk', image, guard=400) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.ask('create /three.xml', r'^\[three\] busybox: up after ')
        machine.ask('suspend block', r'^\[control\] Domain block suspended')
        machine.send('reboot small')
        machine.expect(r'^\[control\] small: block does not let go of disk xvda')
        again(machine, 2)
        machine.expect(r'^\[small\] busybox: up after ')
        machine.ask('list --all', r'^\[control\]  \d+ +block +running')
        machine.expect(r'^\[control\]  \d+ +small +running')
        machine.expect(r'^\[control\]  - +other +shut off')
        machine.expect(r'^\[control\]  \d+ +three +running')
        Guest(machine, 'small').run('dd if=/dev/xvda of=/dev/null bs=4k count=10')
        Guest(machine, 'small').leave()
        machine.ask('suspend three', r'^\[control\] Domain three suspended')
        machine.ask('poweroff', r'^\[control\] Waiting for 2 domains to shut down')
        machine.expect(r'^\[control\] small: powered off')
        again(machine, 3)
        machine.ask('resume three', r'^\[control\] three: powered off')
        machine.finish(1)
