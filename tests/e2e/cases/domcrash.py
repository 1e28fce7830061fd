"""What the prompt knows of a domain that crashed: registers, who called whom, the end of its log."""

from cases.watchdog import watched
from guest import Guest
from host import block, busybox, disk, domain, host, raw_disk
from machine import boot


def hello(name, word, on_crash='preserve'):
    """The smallest domain, which ends as WORD says."""
    return watched(domain(name, '/bulkhead/hello.elf', 32, cmdline=word), 1000, on_crash)


def test_ways_to_die(name):
    """One that hangs, one that gives up by abort(), one whose main() fails, one that is well."""
    path = host(name, {'/spin.xml': hello('spin', 'spin'), '/abort.xml': hello('abort', 'abort'),
                       '/fail.xml': hello('fail', 'fail'), '/well.xml': hello('well', 'x')})
    with boot(name, path, guard=120) as machine:
        machine.expect(r'^\[control\] spin: hung')
        machine.ask('domcrash spin', r'^\[control\] Domain spin \(id \d+\), life 1: hung at ')
        machine.expect(r'^\[control\] exception 2 \(NMI\)')
        machine.expect(r'^\[control\]   rip 0000000000')
        machine.expect(r'^\[control\]   (end|main)\+0x[0-9a-f]+$')
        machine.expect(r'^\[control\] the last of its log:')
        machine.expect(r'^\[control\]   argv\[1\] = spin')
        machine.ask('domcrash abort', r'^\[control\] it ended itself: abort\(\)')
        machine.expect(r'^\[control\]   main[.\w]*\+0x[0-9a-f]+ \?$')
        machine.ask('domcrash fail', r'^\[control\] it ended itself: its program failed')
        machine.ask('domcrash well', r'^\[control\] Domain well has not crashed')
        machine.send('poweroff')
        machine.finish(1)


def test_driver(name):
    """A disk's driver that crashed and came back: its last life's end is told, not this one's.
    A stock guest that panics says so itself; the core has nothing to add, and the host goes on for
    the other one."""
    image = raw_disk(name, gpt=False)
    guest = domain('small', '/vmlinuz', 128, '/busybox.img', 'console=hvc0 quiet',
                   disk('/dev/nvme0n1'))
    path = host(name, {'/block.xml': watched(block(), 5000), '/small.xml': guest,
                       '/other.xml': busybox('other', after='')},
                ['vmlinuz', 'busybox.img'], iommu='yes')
    with boot(name, path, '--iommu', 'intel', '--disk', image, guard=400) as machine:
        machine.expect_all(r'^\[small\] busybox: up after ', r'^\[block\] vbd .*connected')
        Guest(machine, 'small').run('dd if=/dev/xvda of=/dev/null bs=4k count=1')
        Guest(machine, 'small').leave()
        machine.ask('domcrash block', r'^\[control\] Domain block has not crashed')
        machine.ask('inject-nmi block', r'^\[control\] block: crashed .*`domcrash` says more')
        machine.expect(r'^\[control\] block: started again in place')
        machine.ask('domcrash block', r'^\[control\] Domain block \(id \d+\), life 1: crashed at ')
        machine.expect(r'^\[control\] exception 2 \(NMI\)')
        for function in ('hcall_event_wait', 'event_wait', 'main'):
            machine.expect(rf'^\[control\]   {function}\+0x[0-9a-f]+$')
        machine.expect(r'^\[control\] the last of its log:')
        machine.expect(r'^\[control\]   .*nvme')
        shell = Guest(machine, 'small')
        shell.run('dd if=/dev/xvda of=/dev/null bs=4k count=10')
        shell.run('(sleep 1; echo c >/proc/sysrq-trigger) &')
        shell.leave()  # before its console is gone with it
        machine.expect(r'^\[control\] small: crashed')
        machine.ask('domcrash small', r'^\[control\] the core did not end it')
        machine.send('poweroff')
        machine.finish(1)
