"""Domains of ours that hang are noticed; those that work, sleep, are paused or starved are not."""

from guest import Guest
from host import block, disk, domain, host, raw_disk
from machine import Failure, boot


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
    pattern = rf"(?s)^\[control\] Domain: '{name}'.*?^\[control\]   {counter}=(\d+)"
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
