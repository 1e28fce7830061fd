"""Driver domains that are made to lie harm their own clients only."""

import verify
from cases.restart import ours, unnoticed
from guest import Guest
from host import block, disk, domain, host, raw_disk
from machine import boot


def inject(machine, name, kind, seed=1):
    """Gives the order and waits until it is taken; the prompt may answer after the next life."""
    machine.ask(f'inject {name} {kind} {seed}', rf'^\[{name}\] fault injection: {kind} {seed}$')


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
