"""A stock Debian guest works on its disks and its network while its driver domains die again and
again, in every way there is: it notices nothing."""

import collections
import itertools
import statistics

from cases.debian import log_in, shell
from cases.restart import ours
from host import block, disk, domain, host, interface, net, overlay, raw_disk
from load import Load
from machine import boot, equal

LIMITS = '''<metadata>
<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>
<bulkhead:watchdog ms='2000'/>
<bulkhead:restart budget='100' per='1' backoff='0'/>
</bulkhead:domain>
</metadata>
'''
# Ten deaths: of whom, the command, and what its log says in the end.
CRASH, NMI = 'exception 06', 'exception 02'
STALLED = 'no answer for more than 10 s: this domain ends'
LEAKED = 'out of memory: not a page is free'
DEATHS = (
    ('block', 'inject block crash {seed}', CRASH),
    ('net', 'inject net crash {seed}', CRASH),
    ('block', 'inject block hang {seed}', NMI),
    ('net', 'inject net hang {seed}', NMI),
    ('block', 'inject block stall-dma {seed}', STALLED),
    ('net', 'inject-nmi net', NMI),
    ('block', 'inject block leak {seed}', LEAKED),
    ('net', 'inject net leak {seed}', LEAKED),
    ('block', 'restart block', ''),
    ('net', 'restart net', ''),
)
# A network card that stalls is reset, and its domain lives on.
STALL = r'^\[net\] nic0: frames stay in the card for more than 5 s: it is reset'
KILLS = 20


def limited(xml):
    """The same domain, to be started again however often it dies, with a watchdog."""
    return ours(xml).replace('</on_crash>\n', f'</on_crash>\n{LIMITS}')


def make(name):
    """The host: Debian on the first disk, two more to write on, a network."""
    sources = '/dev/nvme0n1p1', '/dev/nvme1n1', '/dev/vda'
    devices = [disk(source, target) for source, target in zip(sources, ('xvda', 'xvdb', 'xvdc'))]
    guest = domain('debian', '/vmlinuz', 512, '/initrd.img', 'root=/dev/xvda ro console=hvc0 quiet',
                   '\n'.join([*devices, interface()]))
    files = {'/block.xml': limited(block(slots=(4, 5, 6))), '/net.xml': limited(net()),
             '/debian.xml': guest}
    return host(name, files, ['vmlinuz', 'initrd.img'], faults=True)


def die(machine, victim, command, end):
    """One death, until its clients are served again: how long that took, in ms."""
    start = machine.position
    machine.send(command)
    served = machine.expect(rf'^\[control\] {victim}: serves again ([\d.]+) ms after its end')
    # The order of two domains' lines is free.
    after, machine.position = machine.position, start
    machine.expect(rf'^\[{victim}\] .*{end}')
    machine.position = max(after, machine.position)
    return float(served.group(1))


def kill(machine, count):
    """So many deaths; a table of how long each kind took, in ms."""
    pauses = collections.defaultdict(list)
    for n, (victim, command, end) in zip(range(count), itertools.cycle(DEATHS)):
        pauses[command].append(die(machine, victim, command.format(seed=n + 1), end))
        if n % len(DEATHS) == len(DEATHS) - 1:
            machine.ask(f'inject net stall-dma {n + 1}', STALL)
    return '; '.join(f'{command.format(seed="").strip()} {statistics.median(found):.0f}'
                     for command, found in pauses.items())


def run(name, count, mib, guard):
    """All of it; what was done, in words."""
    disks = ['--disk', overlay(name)]
    for n, kind in enumerate(('', 'virtio:')):
        disks += ['--disk', kind + raw_disk(f'{name}-{n}', mib=mib, gpt=False)]
    with Load() as load, boot(name, make(name), '--iommu', 'intel', *disks, '--nic',
                              'user,model=e1000e', guard=guard) as machine:
        machine.expect(r'^\[control\] host\.xml:3: fault injection is allowed')
        log_in(machine)
        shell(machine, '/usr/lib/systemd/systemd-networkd-wait-online -i enX0')
        shell(machine, f'wget -q -O /run/script {load.url}/script')
        machine.send('bash /run/script >/dev/console 2>&1 &')
        machine.expect(r'load: begins')
        machine.type('\x1d')
        machine.ask('list', r'block +running   INJECTABLE')
        pauses = kill(machine, count)
        load.over.set()
        machine.expect(r'load: ends')
        done = load.check()
        machine.send('poweroff --now')
        said = machine.finish(1)  # Domains crashed.
    equal(said.count(' in place (id'), count, 'how often a domain was started again')
    return f'{count} deaths, {done}; medians of the ms that each took: {pauses}'


def test_kills(name):
    """Crashes, hangs, a disk that stalls, leaks and restarts, by turns of block and net."""
    print(f'{name}: {run(name, KILLS, 24, 900)}')
