"""Driver domains that are made to fail come back in place; what they did not lie about is right."""

import verify
from cases.restart import ours, unnoticed
from cases.watchdog import watched
from guest import Guest
from host import block, disk, domain, host, interface, net, raw_disk, small
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
    """Gives the order and waits until it is taken; the prompt may answer after the next life."""
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


def test_lies(name):
    """A disk's driver writes anywhere, spoils its rings and runs changed instructions: its client
    may get wrong data, but a guest with another disk domain does not, and the host goes on."""
    disks = [raw_disk(f'{name}-{n}', mib=64, gpt=False) for n in range(2)]
    guests = {f'/{guest}.xml': domain(guest, '/vmlinuz', 128, '/busybox.img', 'console=hvc0 quiet',
                                      disk('/dev/nvme0n1', backend=backend))
              for guest, backend in (('client', 'block'), ('other', 'block2'))}
    path = host(name, {'/block.xml': ours(block()), '/block2.xml': block('block2', (5,)), **guests},
                ['vmlinuz', 'busybox.img'], faults=True)
    with boot(name, path, '--iommu', 'intel', '--disk', disks[0], '--disk', disks[1],
              guard=400) as machine:
        client, other = Guest(machine, 'client'), Guest(machine, 'other')
        for _ in guests:
            machine.expect(r'^\[(client|other)\] busybox: up after ')
        client.run('while :; do dd if=/dev/zero of=/dev/xvda bs=64k count=64 conv=fsync; '
                   'dd if=/dev/xvda of=/dev/null bs=4k count=1024 iflag=direct; done '
                   '>/dev/null 2>&1 &')
        wanted = verify.start(other, mib=4)
        other.leave()
        for kind in 'wild-write', 'corrupt-ring', 'flip':
            inject(machine, 'block', kind)
            machine.ask('restart block', r'^\[control\] block: started again in place')
        verify.stop(other, wanted)
        unnoticed(other)
        other.leave()
        machine.ask('list', r'block2 +running')
        machine.send('poweroff --now')
        machine.finish(1 if 'block: crashed' in machine.text else 0)
