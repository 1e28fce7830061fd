"""Domains of ours that hang are noticed; those that work, sleep, are paused or starved are not."""

import re

from cases.restart import ours, printing
from guest import Guest
from host import block, disk, domain, host, interface, net, raw_disk, small
from machine import Failure, boot, equal

# How a service is made to fail, and what the control domain says of that.
ENDS = {'hang': 'hung', 'crash': 'crashed', 'leak': 'crashed'}


def watched(xml, ms, on_crash='restart'):
    """The same domain with a watchdog."""
    return xml.replace('</os>\n', f"""</os>
<on_crash>{on_crash}</on_crash>
<metadata>
<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>
<bulkhead:watchdog ms='{ms}'/>
</bulkhead:domain>
</metadata>
""")


def number(machine, name, counter):
    """What domstats says of a domain."""
    pattern = rf"(?s)^\[control\] Domain: '{name}'.*?^\[control\]   {counter}=(\d+)\n"
    return int(machine.ask(f'domstats {name}', pattern).group(1))


def test_hang(name):
    """A program that spins, interrupts off as always, is ended and says where it was."""
    hello = domain('hello', '/bulkhead/hello.elf', 32, cmdline='spin')
    path = host(name, {'/hello.xml': watched(hello, 1000, 'preserve')})
    with boot(name, path, guard=120) as machine:
        machine.expect(r'^\[hello\] exception 02 ')
        machine.expect(r'^\[control\] hello: hung')
        machine.expect(r'preserved, destroy it when you have seen enough')
        machine.send('poweroff')
        machine.finish(1)


def test_no_false_alarm(name):
    """A disk's driver whose guests work, idle, or have the CPU for themselves; and one that is
    paused: a watchdog of a fifth of a second lets them all live."""
    image = raw_disk(name, gpt=False)
    guest = domain('small', '/vmlinuz', 128, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    path = host(name, {'/block.xml': watched(block(), 200), '/small.xml': guest},
                ['vmlinuz', 'busybox.img'], iommu='yes')
    with boot(name, path, '--iommu', 'intel', '--disk', image, guard=300) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        shell.run('dd if=/dev/xvda of=/dev/null bs=4k count=2000 iflag=direct')
        shell.run('sleep 5')
        shell.run('for i in 1 2 3; do (while :; do :; done) & done; sleep 10; kill %1 %2 %3')
        shell.run('sleep 1')
        shell.leave()
        machine.ask('suspend block', '^.control. Domain block suspended')
        shell = Guest(machine, 'small')
        shell.run('sleep 3')
        shell.leave()
        machine.ask('resume block', '^.control. Domain block resumed')
        shell = Guest(machine, 'small')
        shell.run('dd if=/dev/xvda of=/dev/null bs=4k count=2000 iflag=direct')
        shell.leave()
        before = number(machine, 'block', 'hypercalls'), number(machine, 'control', 'exits')
        shell = Guest(machine, 'small')
        shell.run('sleep 10')
        shell.leave()
        after = number(machine, 'block', 'hypercalls'), number(machine, 'control', 'exits')
        print(f'{name}: in ten seconds {after[0] - before[0]} hypercalls of block, '
              f'{after[1] - before[1]} exits of the control domain')
        machine.send('poweroff --now')
        machine.finish()
        machine.absent(r'hung|started again')
        if after[0] == before[0]:
            raise Failure('an idle domain was never asked')


def test_store_hang(name):
    """The store hangs, crashes or has no memory left while a guest is built, starts and goes:
    whoever waits for it waits longer, and the guests notice nothing."""
    guests = [small(guest, 'net0=dhcp', interface(), memory=112) for guest in ('one', 'two')]
    path = host(name, {'/net.xml': ours(net()), '/one.xml': guests[0], '/two.xml': guests[1]},
                ['vmlinuz', 'probe.img'], iommu='yes', manual=('/two.xml',), faults=True)
    with boot(name, path, '--iommu', 'intel', '--nic', 'user,model=e1000e', guard=400) as machine:
        machine.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'one')
        shell.run('dmesg -c >/dev/null')
        shell.leave()
        machine.ask('inject store stall-dma', r'does not take the order stall-dma, since it has no')
        machine.ask('list', r'store +running   INJECTABLE')
        for kind, said in ENDS.items():
            # The control domain waits for an answer that does not come.
            machine.ask(f'inject store {kind}', rf'^\[store\] fault injection: {kind}$')
            machine.send('create /two.xml')
            machine.expect(rf'^\[control\] store: {said} ')
            machine.expect(r'^\[control\] store: started again in place')
            machine.expect(r'^\[control\] two: started')
            machine.expect(r'^\[two\] .*busybox: eth0 10\.0\.2\.\d+')
            # It waits for nothing, or for the net domain that does.
            machine.ask(f'inject store {kind}', rf'^\[store\] fault injection: {kind}$')
            machine.send('restart net')
            machine.expect_all(rf'^\[control\] store: {said} ', r'^\[net\] vif .*: adopted')
            machine.ask('destroy two', r'^\[control\] Domain two destroyed')
        shell.run('ping -c 1 -W 20 10.0.2.2 >/dev/null')
        said = shell.run('dmesg')
        if re.search('xen_netfront|xenbus|xenstore|vif', said):
            raise Failure(f'the guest noticed: {said}')
        machine.send('poweroff -f')
        machine.finish(1)
        machine.absent(r'makes no sense|is lost|loses the tree|must be restarted')
        equal(len(re.findall(r'^\[store\] out of memory: not a page is free', machine.text, re.M)),
              2, 'lives that leaked')


def test_console_hang(name):
    """A guest prints numbered lines while the console hangs, crashes and leaks: each arrives."""
    def end_life(machine, life):
        kind = list(ENDS)[life]
        machine.ask(f'inject console {kind}', rf'^\[console\] fault injection: {kind}$')
        machine.expect(rf'^\[control\] console: {ENDS[kind]} ')

    printing(name, len(ENDS), end_life, faults=True)
