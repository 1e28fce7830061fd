"""Tiny guests, all in one boot of the host: every hypercall and every refusal."""

import os
import re

from host import GUESTS, busybox, domain, host, interface
from guest import Guest, answer
from machine import Failure, boot, equal

# Those with tests of their own: one measures, one calls with rubbish and ends by a triple fault,
# others belong to each other or to a device.
OTHERS = {'abibench', 'clinger', 'hog', 'reset', 'rubbish', 'victim'}


def names():
    """Every guest that the build made."""
    return sorted(file[:-4] for file in os.listdir(GUESTS)
                  if file.endswith('.elf') and file[:-4] not in OTHERS)


def test_all(name):
    """Each says "result success" or "result skip"; a result is a line of the guest's own."""
    domains = {f'/{guest}.xml': domain(guest, f'/{guest}.elf', 16) for guest in names()}
    if not domains:
        return
    with boot(name, host(name, domains, [guest + '.elf' for guest in names()])) as machine:
        text = machine.finish()
    for guest in names():
        result = re.search(rf'^\[{guest}\] result (\w+)$', text, re.MULTILINE)
        if not result or result.group(1) not in ('success', 'skip'):
            raise Failure(f'{guest}: {result.group() if result else "no result"}')


def test_rubbish(name):
    """Hypercalls with rubbish, then a triple fault: the guest dies of it, nobody else notices."""
    domains = {'/rubbish.xml': domain('rubbish', '/rubbish.elf', 16), '/small.xml': busybox()}
    path = host(name, domains, ['rubbish.elf', 'vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[rubbish\] rubbish: \d+ calls, most refused$')
        machine.expect(r'^\[core\] domain \d+ \(rubbish\) crashed: vCPU 0: triple fault$')
        machine.ask('list', r'^\[control\] .*\bcontrol\b.*\brunning\b')
        text = machine.finish(1)
    if not re.search(r'^\[small\] busybox: up after ', text, re.MULTILINE):
        raise Failure('the guest beside it did not come up')


def test_abibench(name):
    """The benchmark runs to its end and skips nothing; its numbers are not judged here."""
    bench = domain('abibench', '/abibench.elf', 16, cmdline='n=1000')
    with boot(name, host(name, {'/abibench.xml': bench}, ['abibench.elf'])) as machine:
        machine.expect(r'\[abibench\] bench hypercall_null ')
        machine.expect(r'\[abibench\] bench grant_copy_gref_4k ')
        machine.expect(r'\[abibench\] bench timer_late_halted ')
        machine.expect(r'\[abibench\] bench done')
        machine.finish()
        machine.absent(r'\[abibench\] skip ')


HOGS = ('hog0', 'hog1')


def times(machine, *names):
    """What the domains have had of the CPU so far, in seconds, together."""
    return sum(answer(machine, f'domstats {name}')[0]['cpu.time'] for name in names) / 1e9


def test_hogs(name):
    """Two that sleep and wake all the time go before one that computes, but it has its part."""
    domains = {'/small.xml': busybox(after='')}
    domains.update({f'/{hog}.xml': domain(hog, '/hog.elf', 16) for hog in HOGS})
    path = host(name, domains, ['hog.elf', 'vmlinuz', 'busybox.img'],
                manual=[f'/{hog}.xml' for hog in HOGS])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        shell = Guest(machine, 'small')
        shell.run('(while :; do :; done) &')
        shell.leave()
        for hog in HOGS:
            machine.ask(f'create /{hog}.xml', rf'^\[{hog}\] hog: begins')
        theirs, its = times(machine, *HOGS), times(machine, 'small')
        while times(machine, *HOGS) < theirs + 2:
            pass
        theirs, its = times(machine, *HOGS) - theirs, times(machine, 'small') - its
        machine.send('poweroff --now')
        machine.finish()
    if its < theirs / 8:
        raise Failure(f'{its:.2f} s for who computes, {theirs:.2f} s for those who wake')


def free_now(machine):
    """KiB that are free for domains."""
    return int(machine.ask('nodeinfo', r'^\[control\] Free for domains: +(\d+) KiB').group(1))


def test_clinger(name):
    """A peer that never lets go of a guest's pages does not keep its memory: all of it is free when
    it is destroyed, and the peer has a page of its own there."""
    clinger, victim = 3, 4  # control domain, store and console come first
    domains = {
        '/clinger.xml': domain('clinger', '/clinger.elf', 16, cmdline=f'victim={victim}'),
        '/victim.xml': domain('victim', '/victim.elf', 64, cmdline=f'peer={clinger}',
                              devices=interface('inner', backend='clinger')),
    }
    path = host(name, domains, ['clinger.elf', 'victim.elf'], manual=('/victim.xml',))
    with boot(name, path) as machine:
        machine.expect(r'^\[clinger\] clinger: waits')
        before = free_now(machine)
        machine.send('create /victim.xml')
        machine.ask(f'store ls /local/domain/{clinger}/backend/vif', rf'^\[control\] {victim}$')
        machine.send(f'store write /local/domain/{clinger}/backend/vif/{victim}/0/hotplug-status '
                     'connected')
        machine.expect(r'^\[clinger\] clinger: holds a page')
        equal(before - free_now(machine) >= 64 << 10, True, 'whether the victim took memory')
        # Which of them speaks first is nobody's business.
        page, gone = r'^\[clinger\] clinger: has a page of its own', r'^\[control\] .*destroyed'
        machine.ask('destroy victim', rf'(?s){page}.*{gone}|{gone}.*{page}')
        equal(free_now(machine), before, 'KiB free')
        machine.absent(r'^\[clinger\] .*:\d+: ')
        machine.send('destroy clinger')
        machine.finish(0)
