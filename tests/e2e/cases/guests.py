"""Tiny guests, all in one boot of the host: every hypercall and every refusal."""

import os
import re

from host import GUESTS, busybox, domain, host
from machine import Failure, boot

# Those with tests of their own: one measures, one calls with rubbish and ends by a triple fault, two
# belong to others or to a device.
OTHERS = {'abibench', 'reset', 'rubbish', 'victim'}


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
