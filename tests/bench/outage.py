"""Outages: driver domains are ended again and again under a guest that uses them all the time."""

import os
import re
import time

import host
import machine
from guest import Guest

GAPPROBE = os.path.join(host.BUILD, 'meson', 'tests', 'bench', 'gapprobe')
PERIOD = 1.1
# A pause counts as a kill's if it ends so long after it was asked for.
WINDOW = 1.0
KILLS = int(os.environ.get('KILLS', '200'))
ICOUNT = ['--icount'] if os.environ.get('ICOUNT') else []
HOST = '10.0.2.2'


def image():
    """The small image with the probe in it."""
    with open(GAPPROBE, 'rb') as probe:
        return host.image('net.img', {'bin/gapprobe': probe.read()})


def ours(xml):
    """The same domain, to be started again when it crashes."""
    return xml.replace('</os>\n', '</os>\n<on_crash>restart</on_crash>\n')


def kill(m, name, how, count):
    """Ends a domain's lives at a steady pace; when each was asked for."""
    times, took = [], []
    m.type('\x1d')
    m.attached = ''
    begin = time.monotonic()
    for i in range(count):
        time.sleep(max(0, begin + i * PERIOD - time.monotonic()))
        times.append(time.monotonic())
        m.send(f'{how} {name}')
        said = m.expect(rf'\[control\] {name}: started again in place .* in ([\d.]+) ms')
        took.append(float(said.group(1)))
    return times, took


def spread(values):
    """Median, 99th of a hundred, worst."""
    values = sorted(values)
    return [values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)],
            values[-1]]


def longest(gaps, start, times):
    """The longest pause (ms) that belongs to each kill; what a guest sees without kills, too."""
    found = []
    for asked in times:
        since = (asked - start) * 1e6
        found.append(max([us / 1000 for at, us in gaps if since < at < since + WINDOW * 1e6],
                         default=3.0))
    return found


def outage(say, label, name, files, options, what, how):
    """Boots, uses, ends; prints what the guest saw and what the control domain took."""
    small = host.domain('small', '/vmlinuz', 160, '/gap.img',
                        'console=hvc0 quiet' + (' net0=dhcp' if name == 'net' else ''), what[0])
    path = host.host('bench-outage', {**files, '/small.xml': small}, ['vmlinuz'])
    with open(os.path.join(path, 'gap.img'), 'wb') as out:
        out.write(image())
    with machine.boot('bench-outage', path, *options, guard=1200) as m:
        m.expect(r'^\[small\] busybox: up after ' if name == 'block' else
                 r'^\[small\] .*busybox: eth0 10\.0\.2\.\d+')
        shell = Guest(m, 'small')
        shell.run('dmesg -c >/dev/null; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range')
        m.send(f'gapprobe {what[1]} {int(KILLS * PERIOD) + 5} >/tmp/gaps &')
        m.expect(r'gapprobe begins\n')
        start = time.monotonic()
        times, took = kill(m, name, how, KILLS)
        said = shell.run('wait; cat /tmp/gaps; dmesg')
        m.type('\x1d')
        m.send('poweroff')
        m.finish(1)  # Domains crashed.
    gaps = [(int(at), int(us)) for at, us in re.findall(r'gap at_us=(\d+) us=(\d+)', said)]
    found = longest(gaps, start, times)
    for key, values in (('seen', found), ('control', took)):
        for part, value in zip(('median', 'p99', 'worst'), spread(values)):
            say(f'outage_{label}_{key}_{part}', round(value, 1), 'ms')
    print('#', re.search(r'gapprobe ends .*', said).group(),
          'log:', len(re.findall(r'blkfront|netfront|vbd|I/O error', said)))


def run(say):
    """Both kinds of driver domain."""
    disk = host.raw_disk('bench-outage', mib=96, gpt=False)
    outage(say, 'block', 'block', {'/block.xml': ours(host.block())},
           ['--iommu', 'intel', '--disk', disk, *ICOUNT],
           (host.disk('/dev/nvme0n1'), 'disk /dev/xvda'), 'inject-nmi')
    if os.environ.get('ONLY') == 'block':
        return
    outage(say, 'net', 'net', {'/net.xml': ours(host.net())},
           ['--iommu', 'intel', '--nic', 'user,model=e1000e', *ICOUNT],
           (host.interface(), f'ping {HOST}'), 'inject-nmi')
