"""Driver domains that are made to fail come back in place; what they did not lie about is right."""

import verify
from cases.restart import ours, unnoticed
from cases.watchdog import watched
from guest import Guest
from host import block, disk, host, interface, net, raw_disk, small
from machine import boot, equal
from pages import Pages

# What each kind of fault ends in, as the log says it.
ENDS = {
    'crash': r'exception 06',
    'hang': r'exception 02',
    'leak': r'out of memory: not a page is free',
    'stall-dma': r'nvme0n1: no answer for more than 10 s: this domain ends',
}


def inject(machine, name, kind, seed=1):
    """Gives the order and waits until it is taken: the prompt may only answer after the next life."""
    machine.ask(f'inject {name} {kind} {seed}', rf'^\[{name}\] fault injection: {kind} {seed}$')


def back(machine, name, end):
    """The domain's life ends so; its next one has its front ends again."""
    machine.expect(rf'^\[{name}\] .*{end}')
    machine.expect(rf'^\[control\] {name}: started again in place')
    machine.expect(rf'^\[{name}\] v[bi][df] .*: adopted')


def test_clean(name):
    """Crashes, hangs, leaks and devices that stall, while a guest verifies its disk and downloads:
    all is right, and its kernel says nothing."""
    image = raw_disk(name, mib=96, gpt=False)
    guest = small('one', 'net0=dhcp', interface(), disk('/dev/nvme0n1'), memory=224)
    path = host(name, {'/block.xml': watched(block(), 1000), '/net.xml': watched(net(), 1000),
                       '/one.xml': guest}, ['vmlinuz', 'probe.img'], faults=True)
    with Pages(48 << 20) as pages, boot(name, path, '--iommu', 'intel', '--disk', image, '--nic',
                                        'user,model=e1000e', guard=400) as machine:
        machine.expect(r'^\[control\] host\.xml:3: fault injection is allowed')
        machine.expect(r'^\[one\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(machine, 'one')
        wanted = verify.start(shell)
        shell.run(f'(wget -q -O - {pages.url} | md5sum >/tmp/sum; touch /tmp/done) &')
        shell.leave()
        machine.ask('list', r'block +running   INJECTABLE')
        for domain in 'block', 'net':
            for kind in 'crash', 'hang', 'leak':
                inject(machine, domain, kind)
                back(machine, domain, ENDS[kind])
        inject(machine, 'block', 'stall-dma')
        inject(machine, 'net', 'stall-dma')
        machine.expect(r'^\[net\] nic0: frames stay in the card for more than 5 s: it is reset')
        back(machine, 'block', ENDS['stall-dma'])
        verify.stop(shell, wanted)
        equal(shell.run('cat /tmp/sum').split()[0], pages.md5, 'the page')
        unnoticed(shell)
        machine.send('poweroff -f')
        machine.finish(1)  # Domains crashed.
