"""A guest that writes its disk, flushes it, and reads it back again and again, and notes what is
wrong."""

from machine import equal

# All of it buffered and flushed, a part of it direct, all of it read.
LOOP = ('while [ ! -e /tmp/stop ]; do dd if=/tmp/r of={disk} bs=128k conv=fsync && '
        'dd if=/tmp/r of={disk} bs=4k count=512 seek=8192 oflag=direct && '
        'echo 3 >/proc/sys/vm/drop_caches && '
        'dd if={disk} bs=128k count={blocks} | md5sum >>/tmp/sums || touch /tmp/failed; '
        'done >/dev/null 2>&1 &')


def start(shell, mib=24, disk='/dev/xvda'):
    """Begins; the sum that is right. The guest's log is empty from here on."""
    shell.run(f'dd if=/dev/urandom of=/tmp/r bs=1M count={mib} 2>/dev/null')
    wanted = shell.run('md5sum </tmp/r').split()[0]
    shell.run('dmesg -c >/dev/null')
    shell.run(LOOP.format(disk=disk, blocks=mib * 8))
    return wanted


def stop(shell, wanted):
    """Ends; fails unless all that was read was right and nothing failed."""
    shell.run('touch /tmp/stop; wait; [ ! -e /tmp/failed ]')
    sums = set(shell.run('cat /tmp/sums').split()) - {'-'}
    equal(sums, {wanted}, 'what was read')
