"""Outages: driver domains are ended again and again under a guest that uses them all the time."""

import os
import re
import time

import host
import machine
from guest import Guest

GAPPROBE = os.path.join(host.BUILD, 'meson', 'tests', 'bench', 'gapprobe')
# OUTAGES=n ends each domain n times.
KILLS = int(os.environ.get('OUTAGES', '200'))
PERIOD = 0.5
# A pause is a kill's if it ends so long after the kill was asked for.
WINDOW = 0.45
# What a probe counts as a pause at all.
LEAST = 3.0
ON_CRASH = '''<on_crash>restart</on_crash>
<metadata>
<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>
<bulkhead:restart budget='10' per='1' backoff='0'/>
</bulkhead:domain>
</metadata>
'''
HOST = '10.0.2.2'
PHASES = ('noticed', 'reset', 'image', 'store', 'boot', 'devices', 'adoption')


def image():
    """The small image with the probe in it."""
    with open(GAPPROBE, 'rb') as probe:
        return host.image('net.img', {'bin/gapprobe': probe.read()})


def ours(xml):
    """The same domain, to be started again however often it crashes."""
    return xml.replace('</os>\n', f'</os>\n{ON_CRASH}')


def kills(m, name, count, period):
    """Ends a domain's lives at a steady pace: when each was asked for, where its time went."""
    times, spent = [], []
    begin = time.monotonic()
    for i in range(count):
        # What is typed keeps the emulator busy for some ms: all but the last key is early.
        m.type(f'inject-nmi {name}')
        time.sleep(max(0.1, begin + i * period - time.monotonic()))
        times.append(time.monotonic())
        m.type('\n')
        said = m.expect(rf'\[control\] {name}: serves again [\d.]+ ms after its end: (.* adoption [\d.]+)\n').group(1)
        spent.append({phase: float(ms) for phase, ms in re.findall(r'(\w+) ([\d.]+)', said)})
    return times, spent


def spread(values):
    """Median, 99th of a hundred, worst."""
    values = sorted(values)
    return [values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)],
            values[-1]]


def say_spread(say, name, values):
    for part, value in zip(('median', 'p99', 'worst'), spread(values)):
        say(f'{name}_{part}', round(value, 2), 'ms')


def longest(gaps, start, times):
    """The longest pause (ms) that belongs to each kill."""
    found = []
    for asked in times:
        since = (asked - start) * 1e6
        found.append(max([us / 1000 for at, us in gaps if since < at < since + WINDOW * 1e6],
                         default=LEAST))
    return found


def begin(m, name, probe, seconds):
    """The guest is up and its probe runs: its shell, and when the probe began."""
    m.expect(r'^\[small\] busybox: up after ' if name == 'block' else
             r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
    shell = Guest(m, 'small')
    shell.run('dmesg -c >/dev/null; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range')
    m.send(f'gapprobe {probe} {seconds} >/tmp/gaps &')
    m.expect(r'gapprobe begins\n')
    start = time.monotonic()
    shell.leave()
    return shell, start


def outage(say, name, xml, device, probe, *options):
    """Boots, uses, ends; prints what the guest saw, and where the time went."""
    words = 'console=hvc0 quiet' + (' net0=dhcp' if name == 'net' else '')
    small = host.domain('small', '/vmlinuz', 160, '/gap.img', words, device)
    path = host.host('bench-outage', {f'/{name}.xml': ours(xml), '/small.xml': small}, ['vmlinuz'])
    with open(os.path.join(path, 'gap.img'), 'wb') as out:
        out.write(image())
    with machine.boot('bench-outage-' + name, path, *options, guard=1200) as m:
        shell, start = begin(m, name, probe, int(KILLS * PERIOD) + 10)
        times, spent = kills(m, name, KILLS, PERIOD)
        said = shell.run('wait; cat /tmp/gaps; dmesg')
        shell.leave()
        m.send('poweroff')
        m.finish(1)  # Domains crashed.
    gaps = [(int(at), int(us)) for at, us in re.findall(r'gap at_us=(\d+) us=(\d+)', said)]
    say_spread(say, f'outage_{name}', longest(gaps, start, times))
    for phase in PHASES:
        say_spread(say, f'outage_{name}_{phase}', [life.get(phase, 0.0) for life in spent])
    say(f'outage_{name}_lines', len(re.findall(r'blkfront|netfront|vbd|I/O error', said)), '',
        "of the guest's log, goal 0")


def run(say):
    """Both kinds of driver domain."""
    disk = host.raw_disk('bench-outage', mib=96, gpt=False)
    outage(say, 'block', host.block(), host.disk('/dev/nvme0n1'), 'disk /dev/xvda', '--disk', disk)
    outage(say, 'net', host.net(), host.interface(), f'ping {HOST}', '--nic', 'user,model=e1000e')
