"""Fault injection: driver domains are made to fail under load again and again; a line for each
and a table say what ended their lives, what their clients noticed, and whether anybody else did."""

import os
import re
import shutil
import time

import host
import tally
import verify
from cases.watchdog import watched
from guest import Guest
from machine import Failure, boot
from pages import Pages

DOMAINS = ('block', 'net')
# Kinds, and whether the driver may have lied to its clients before it died.
KINDS = {'crash': False, 'hang': False, 'leak': False, 'stall-dma': False,
         'wild-write': True, 'corrupt-ring': True, 'flip': True}
# Rounds of work after an order that a client gets through: then the domain has survived it.
ROUNDS = 2
# Seconds that a client may take for them, and for anything else.
PATIENCE = 45
WATCHDOG_MS = 2000
PAGE = 1 << 19
PLACE = 2 << 20

# One line for each round of work: what was wrong with it. Its own copy of the data is in memory.
WORK = f'''#!/bin/busybox sh
url=$1 page=$2
wanted=$(md5sum </tmp/r)
while [ ! -e /tmp/stop ]; do
    said=ok
    echo 3 >/proc/sys/vm/drop_caches
    dd if=/tmp/r of=/dev/xvda bs=128k conv=fsync || said=io-error
    echo 3 >/proc/sys/vm/drop_caches
    dd if=/dev/xvda of=/tmp/back bs=128k count={PLACE >> 17} || said=io-error
    [ $said != ok ] || [ "$(md5sum </tmp/back)" = "$wanted" ] || said=wrong-disk
    timeout {PATIENCE} wget -q -O /tmp/page $url || said="$said,net-error"
    [ "$said" != ok ] || [ "$(md5sum </tmp/page)" = "$page  -" ] || said=wrong-page
    echo $said >>/tmp/lines
done
echo end >>/tmp/lines
'''
# Until there are so many lines, or the patience is at its end.
WAIT = ('i=0; while [ $(wc -l </tmp/lines) -lt {0} ] && [ $i -lt {1} ] && '
        '! grep -q end /tmp/lines; do sleep 1; i=$((i + 1)); done; wc -l </tmp/lines')
LOG = r'error|xen_netfront|blkfront|xen-blkfront|BUG|WARN|hung|blocked for|Call Trace|corrupt'

# What the log of a domain or of the control domain says of a death, and who saw it coming.
DEATHS = (
    ('by watchdog', r'^\[control\] {0}: hung'),
    ('by time-out', r'^\[{0}\] .*(no answer for more than|frames stay in the card)'),
    ('by itself', r'^\[{0}\] .*(exception |out of memory|exit status|killed|the store is gone)'),
    ('by itself', r'^\[control\] {0}: '),
)


class Client:
    """A guest that works with what the domains serve."""

    def __init__(self, machine, pages):
        self.machine = machine
        self.pages = pages
        self.shell = Guest(machine, 'client')

    def run(self, command):
        """Runs a command; a guest that does not answer in time is a failure."""
        self.machine.deadline = time.monotonic() + 2 * PATIENCE
        return self.shell.run(command, None)

    def up(self):
        """Waits until it has booted, and gives it something to write."""
        self.machine.deadline = time.monotonic() + 120
        self.machine.expect(r'^\[client\] .*busybox: eth0 10\.0\.2\.\d+')
        self.run(f'dd if=/dev/urandom of=/tmp/r bs=1M count={PLACE >> 20} 2>/dev/null')
        self.run('dmesg -c >/dev/null')

    def begin(self):
        """Works from now on."""
        self.run('rm -f /tmp/stop /tmp/lines; touch /tmp/lines')
        self.run(f'work {self.pages.url} {self.pages.md5} >/dev/null 2>&1 &')
        self.run(WAIT.format(1, PATIENCE))
        self.shell.leave()

    def end(self):
        """Stops after some more rounds; what it noticed, as a set of words."""
        try:
            before = int(self.run('wc -l </tmp/lines'))
            self.run(WAIT.format(before + ROUNDS, PATIENCE))
            self.run('touch /tmp/stop')
            self.run(WAIT.format(1 << 20, PATIENCE))
            lines = self.run('cat /tmp/lines').split()
            log = self.run('dmesg -c')
        except (Failure, ValueError):
            return {'no answer'}
        seen = {word for line in lines for word in line.split(',')} - {'ok', 'end'}
        if 'end' not in lines:
            seen.add('hang')
        if re.search(LOG, log):
            seen.add('kernel log')
        return seen

    def again(self):
        """A client that is beyond help is started anew."""
        self.shell.leave()
        self.machine.deadline = time.monotonic() + 120
        self.machine.ask('destroy client', r'^\[control\] .*(destroyed|is not running)')
        self.machine.ask('create /client.xml', r'^\[control\] client: started')
        self.up()


def build(name):
    """A client of two domains, and a bystander with a disk domain of its own."""
    probe = os.path.join(host.BUILD, 'meson', 'tests', 'netprobe', 'netprobe')
    with open(probe, 'rb') as file:
        initrd = host.image('net.img', {'bin/netprobe': file.read(), 'bin/work': WORK.encode()})
    client = host.small('client', 'net0=dhcp', host.interface(),
                        host.disk('/dev/nvme0n1', backend='block'), memory=160)
    other = host.domain('other', '/vmlinuz', 128, '/probe.img', 'console=hvc0 quiet',
                        host.disk('/dev/nvme0n1', backend='block2'))
    files = {'/block.xml': watched(host.block(), WATCHDOG_MS),
             '/block2.xml': host.block('block2', (5,)),
             '/net.xml': watched(host.net(), WATCHDOG_MS),
             '/other.xml': other, '/client.xml': client}
    path = host.host(name, files, ['vmlinuz'], faults=True)
    with open(os.path.join(path, 'probe.img'), 'wb') as out:
        out.write(initrd)
    return path


def fate_of(text, domain):
    """How the domain's life ended, by what was said since the order; '' if it did not."""
    for fate, pattern in DEATHS:
        if re.search(pattern.format(domain), text, re.MULTILINE):
            return fate
    return ''


def fresh(machine, domain, start):
    """The domain's next life, if it did not begin by itself."""
    machine.deadline = time.monotonic() + 2 * PATIENCE
    back = rf'^\[control\] {domain}: started again in place'
    if not re.search(back, machine.text[start:], re.MULTILINE):
        machine.ask(f'restart {domain}', back)


def others_are_well(machine, shell, wanted):
    """The bystander works on, all it read was right; the core and the prompt answer."""
    machine.deadline = time.monotonic() + 2 * PATIENCE
    try:
        before = shell.run('wc -l </tmp/sums')
        shell.run(f'while [ $(wc -l </tmp/sums) -eq {before} ]; do sleep 1; done')
        said = set(shell.run('[ ! -e /tmp/failed ] && cat /tmp/sums').split()) - {'-'}
        shell.leave()
        machine.ask('list', r'other +running')
    except Failure as failure:
        print(f'# others: {failure}')
        return False
    panics = re.search(r'^\[core\] (panic|CHECK)', machine.text, re.MULTILINE)
    return said == {wanted} and not panics


def one(machine, client, domain, kind, seed):
    """One injection: what became of the domain, and what its client saw."""
    client.begin()
    start = machine.position
    machine.deadline = time.monotonic() + 2 * PATIENCE
    machine.ask(f'inject {domain} {kind} {seed}', rf'^\[{domain}\] fault injection: {kind} {seed}$')
    seen = client.end()
    client.shell.leave()
    fate = fate_of(machine.text[start:], domain)
    if not fate and seen & {'hang', 'no answer'}:
        fate = 'hung'
    fresh(machine, domain, start)
    return fate or 'survived', seen


def clean_again(client):
    """Whether a client gets through its work without complaint after the domain's next life."""
    try:
        client.begin()
        return not client.end() - {'kernel log'}
    except Failure:
        return False


def inject(machine, client, bystander, wanted, order, record):
    """One injection and what came of it, put down; the client is well afterwards."""
    fate, seen = one(machine, client, *order)
    well = others_are_well(machine, bystander, wanted)
    anew = not clean_again(client)
    record.add(*order, fate=fate, saw=sorted(seen), others=well, anew=anew)
    if not well:
        raise Failure('others were harmed')
    if anew:
        client.again()


def session(path, disks, orders, record):
    """A host, and as many of the injections as it lasts for. One after which it does not answer is
    put down as one that harmed others; the next ones get another host."""
    with Pages(PAGE) as pages, boot('bench-faults', path, '--iommu', 'intel', '--disk', disks[0],
                                    '--disk', disks[1], '--nic', 'user,model=e1000e',
                                    guard=86400) as machine:
        client = Client(machine, pages)
        client.up()
        bystander = Guest(machine, 'other')
        machine.deadline = time.monotonic() + 120
        wanted = verify.start(bystander, mib=1)
        bystander.leave()
        while orders:
            order = orders.pop(0)
            try:
                inject(machine, client, bystander, wanted, order, record)
            except Failure as failure:
                print(f'# {failure}', flush=True)
                if order not in record.done:
                    record.add(*order, fate='hung', saw=['no answer'], others=False, anew=True)
                keep_log(machine, order)
                return


def keep_log(machine, order):
    """The next host would write over it."""
    shutil.copy(machine.log_path, machine.log_path + '.' + '-'.join(map(str, order)))


def campaign(count, only=(), log=''):
    """All kinds (or those in ONLY) in all domains; those that may lie so often, the others a third
    of that. With a LOG those that stand in it are done already."""
    record = tally.Record(log or os.path.join(host.BUILD, 'bench', time.strftime('faults-%s.log')))
    orders = [(domain, kind, seed) for kind, lies in KINDS.items() if kind in (only or KINDS)
              for domain in DOMAINS for seed in range(1, (count if lies else -(-count // 3)) + 1)]
    orders = [order for order in orders if order not in record.done]
    path = build('bench-faults')
    disks = [host.raw_disk(f'bench-faults-{n}', mib=64, gpt=False) for n in range(2)]
    try:
        while orders:
            session(path, disks, orders, record)
    finally:
        tally.show(tally.add_up(tally.rows(record.path)))
    return record.path
