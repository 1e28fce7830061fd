#!/usr/bin/env python3
"""The benchmark: boots hosts and prints figures, one a line; never fails for being slow.

bench.py IOPROBE [PATTERN...] runs the parts that match. Wall times are this machine's; counts of
instructions and exits are exact."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'e2e'))

import faults  # noqa: E402
import host  # noqa: E402
import loss  # noqa: E402
import machine  # noqa: E402
import net  # noqa: E402
import outage  # noqa: E402
from cases import longrun  # noqa: E402

DISK_MIB = 512
# The second run of each kind counts.
RUNS = ('rand', 'seq', 'rand', 'seq')
READS = {'seq': (1 << 20, 256), 'rand': (4096, 2000)}

IOMMUS = ('none', 'intel', 'amd')
UNITS = {'seq': 'MiB/s', 'rand': 'reads/s', 'tcp_out': 'Mbit/s', 'tcp_in': 'Mbit/s'}
TURNS = 2

# What a small guest does with the probe: waits for a line before each run, so that counters can
# be read around it.
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
echo "bench: user space"
for module in /modules/*; do insmod "$module" 2>/dev/null; done
disk=$(sed 's/.*disk=\\([^ ]*\\).*/\\1/' /proc/cmdline)
while [ ! -b "$disk" ]; do :; done
exec </dev/console
echo "bench: ready"
while read run mode size count; do
    echo "run $run"
    ioprobe "$disk" "$mode" "$size" "$count"
done
poweroff -f
'''


def say(name, value, unit, note=''):
    print(f'bench {name} {value} {unit}{"  # " + note if note else ""}', flush=True)


def bench_initrd(ioprobe):
    """Busybox's image with another init and the probe on top."""
    with open(ioprobe, 'rb') as probe:
        return host.image('busybox.img', {'init': INIT.encode(), 'bin/ioprobe': probe.read()})


def bench_disk():
    """Random bytes, so that nothing is read from a hole."""
    path = os.path.join(host.BUILD, 'bench', 'disk.img')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        with open(path + '.new', 'wb') as out:
            for _ in range(DISK_MIB):
                out.write(os.urandom(1 << 20))
        os.rename(path + '.new', path)
    return path


def since(start):
    return round(time.monotonic() - start, 2)


def small_host(name, initrd, memory=128, manual=(), disk=''):
    cmdline = 'console=hvc0 quiet disk=/dev/xvda'
    small = host.domain('small', '/vmlinuz', memory, '/bench.img', cmdline, disk)
    domains = {'/small.xml': small}
    if disk:
        domains = {'/block.xml': host.block(), **domains}
    path = host.host(name, domains, ['vmlinuz'], manual=manual, iommu='no')
    with open(os.path.join(path, 'bench.img'), 'wb') as out:
        out.write(initrd)
    return path


def stats(m, name):
    """A domain's counters, by the control prompt."""
    text = m.ask(f'domstats {name} --json', r'(?s)^\[control\] \[$.*?^\[control\] \]$').group()
    lines = [line[10:] for line in text.splitlines() if line.startswith('[control] ')]
    return json.loads('\n'.join(lines))[0]


def part_boot(ioprobe):
    """Power-on to prompt, create, first line of user space, without a disk."""
    path = small_host('bench-boot', bench_initrd(ioprobe), manual=('/small.xml',))
    machine.boot('bench-warm', path, '--build-only').finish()
    start = time.monotonic()
    with machine.boot('bench-boot', path) as m:
        m.expect(r'Bulkhead, started by')
        power_on = time.monotonic()
        say('loader', round(power_on - start, 2), 's', "./run and QEMU until the core's first line")
        m.send('list')
        m.expect(r'\[control\].*Name')
        say('power_on_to_prompt', since(power_on), 's', 'goal 2')
        create = time.monotonic()
        m.ask('create /small.xml', r'\[control\] small: started')
        say('create', since(create), 's', 'goal 0.3')
        m.expect(r'bench: user space')
        say('create_to_user_space', since(create), 's', 'goal 5')
        m.send('poweroff')
        m.finish()


def part_login(_):
    """The demo to its login prompt."""
    start = time.monotonic()
    demo = os.path.join(host.DEMO, 'host')
    with machine.boot('bench-login', demo, '--disk', host.overlay('bench-login')) as m:
        m.expect(r'Bulkhead, started by')
        start = time.monotonic()
        m.expect(r'debian login:')
        say('power_on_to_login', since(start), 's')


def part_abi(_):
    """The ABI's costs in instructions."""
    abi_costs('bench-abi', '', '')
    # What a domain pays whose devices' addresses change with its mappings.
    for kind in 'intel', 'amd':
        abi_costs('bench-abi-' + kind, 'only=gnt_map device', host.function(0x1e), '--iommu', kind,
                  '--device', 'edu,bus=pcie.0,addr=1e.0')


def abi_costs(name, cmdline, devices, *options):
    """Boots the guest that measures them."""
    xml = host.domain('abibench', '/abibench.elf', 16, cmdline=cmdline, devices=devices)
    path = host.host(name, {'/abibench.xml': xml}, ['abibench.elf'])
    with machine.boot(name, path, '--icount', *options) as m:
        if devices:  # Who owns one is no guest, with the last of whom a host ends.
            m.expect(r'bench done')
            m.send('poweroff')
        text = m.finish()
    for line in re.findall(r'\[abibench\] ((?:bench|skip) .*)', text):
        print(line)


def probe_results(text):
    return {k: int(v) for k, v in re.findall(r'(\w+)=(\d+)', text)}


def run_probe(m, run, mode):
    """One run; its number tells its lines from those that an attached console replays."""
    size, count = READS[mode]
    m.ask(f'{run} {mode} {size} {count}', f'^(.*] )?run {run}$')
    return probe_results(m.expect(r'ioprobe \w+ (size=.* p99_ns=\d+)\n').group(1))


def guest_disk(ioprobe, *options):
    """Each kind of read in a guest; speeds, and exits of guest and driver domain."""
    path = small_host('bench-disk', bench_initrd(ioprobe), disk=host.disk('/dev/nvme0n1'))
    results = {}
    with machine.boot('bench-disk', path, '--disk', bench_disk(), *options) as m:
        m.expect(r'bench: ready')
        for run, mode in enumerate(RUNS):
            before = [stats(m, n) for n in ('small', 'block')]
            m.ask('console small', r'Connected to domain small')
            results[mode] = run_probe(m, run, mode)
            m.type('\x1d')
            after = [stats(m, n) for n in ('small', 'block')]
            for key in ('exits', 'hypercalls'):
                results[mode][key] = sum(a[key] - b[key] for a, b in zip(after, before))
        for name in ('store', 'console', 'block', 'control'):
            print('#', json.dumps(stats(m, name)))
        m.send('poweroff')
        m.finish()
    return results


def plain_disk(ioprobe):
    """The same reads on the same disk, in plain Linux on the same emulator."""
    disk = bench_disk()
    initrd = os.path.join(host.BUILD, 'bench', 'initrd.img')
    with open(initrd, 'wb') as out:
        out.write(bench_initrd(ioprobe))
    command = ['qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-cpu', 'EPYC', '-m', '512',
               '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
               '-kernel', host.BLOBS['vmlinuz'], '-initrd', initrd,
               '-append', 'console=ttyS0 quiet disk=/dev/nvme0n1',
               '-drive', f'if=none,id=d0,format=raw,file={disk}',
               '-device', 'nvme,drive=d0,serial=bench']
    results = {}
    with machine.Machine('bench-plain', command) as m:
        m.expect(r'bench: ready')
        for run, mode in enumerate(RUNS):
            results[mode] = run_probe(m, run, mode)
    return results


def part_disk(ioprobe):
    """Disk speed as a ratio to plain Linux in one run, and what a request costs."""
    plain = plain_disk(ioprobe)
    guest = guest_disk(ioprobe)
    say('plain_seq', plain['seq']['kib_per_s'] // 1024, 'MiB/s')
    say('guest_seq', guest['seq']['kib_per_s'] // 1024, 'MiB/s')
    say('ratio_seq', round(guest['seq']['kib_per_s'] / plain['seq']['kib_per_s'], 2), '', 'goal 0.5')
    say('plain_rand', plain['rand']['median_ns'] // 1000, 'us')
    say('guest_rand', guest['rand']['median_ns'] // 1000, 'us', 'goal around 350')
    mib = READS['seq'][0] * READS['seq'][1] >> 20
    count = READS['rand'][1]
    say('exits_per_mib', round(guest['seq']['exits'] / mib, 1), '', 'goal 40')
    say('hypercalls_per_mib', round(guest['seq']['hypercalls'] / mib, 1), '')
    say('exits_per_read', round(guest['rand']['exits'] / count, 2), '', 'goal 9')
    say('hypercalls_per_read', round(guest['rand']['hypercalls'] / count, 2), '')


def part_net(_):
    """Network speeds as ratios to plain Linux in one run; between guests; what a MB costs."""
    net.run(say)


def part_outage(_):
    """What a guest sees of driver domains that are ended and come back in place."""
    outage.run(say)


def part_loss(_):
    """What a guest's throughput loses by a restart of its driver domain every so many seconds."""
    loss.run(say, bench_disk())


def part_longrun(_):
    """A Debian guest with fio and TCP while its driver domains die: KILLS=n times."""
    done = longrun.run('bench-longrun', int(os.environ.get('KILLS', '200')), 24, 86400)
    say('longrun', done, '')


def part_iommu(ioprobe):
    """Speeds with an IOMMU as ratios to those without one; by turns, the better of each counts."""
    best = {}
    with contextlib.closing(net.Peer()) as peer:
        for _ in range(TURNS):
            for kind in IOMMUS:
                reads = guest_disk(ioprobe, '--iommu', kind)
                figures = {'seq': reads['seq']['kib_per_s'] / 1024,
                           'rand': 1e9 / reads['rand']['median_ns'], **net.speeds(peer, kind)}
                for name, value in figures.items():
                    best[kind, name] = max(best.get((kind, name), 0), value)
    for (kind, name), value in best.items():
        say(f'{kind}_{name}', round(value), UNITS[name])
        if kind != 'none':
            say(f'ratio_{kind}_{name}', round(value / best['none', name], 2), '', 'goal 0.9')


def part_faults(_):
    """What injected faults did to driver domains, their clients, and everybody else."""
    log = faults.campaign(int(os.environ.get('FAULTS', '9')),
                          os.environ.get('FAULT_KINDS', '').split(), os.environ.get('FAULT_LOG'))
    say('faults_log', log, '')


def main():
    ioprobe, patterns = sys.argv[1], sys.argv[2:]
    subprocess.run([os.path.join(ROOT, 'run'), '--build-only'], check=True,
                   stdin=subprocess.DEVNULL)
    subprocess.run(['bash', os.path.join(ROOT, 'toolstack', 'host', 'busybox.sh')], check=True)
    for name, part in sorted(globals().items()):
        if name.startswith('part_') and (not patterns or any(p in name for p in patterns)):
            print(f'-- {part.__doc__}', flush=True)
            part(ioprobe)


if __name__ == '__main__':
    main()
