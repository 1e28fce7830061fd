"""Consoles of guests side by side."""

from host import busybox, host
from machine import attach, boot


def test_flood(name):
    """One guest writes without end; another still answers what is typed, and what it said is kept."""
    path = host(name, {'/loud.xml': busybox('loud', after=''),
                       '/small.xml': busybox('small', after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine, 'loud', r'^\[loud\] / # ')
        machine.send('(sleep 3; yes flood) &')
        machine.expect(r'^\[loud\] / # ')  # what is typed and not yet read is dropped when one leaves
        machine.type('\x1d')
        attach(machine, 'small')
        machine.expect(r'^\[loud\] flood\n(?:.*\n)*\[loud\] flood')
        machine.send('echo one-$((41 + 1))')
        machine.expect(r'^\[small\] one-42')
        machine.type('\x1d')
        machine.send('destroy loud')
        machine.send('destroy small')
        machine.finish(0)


def test_typed_ahead(name):
    """What stands behind `console` before it is connected is the guest's, and no command."""
    path = host(name, {'/small.xml': busybox('small', after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] / # ')
        machine.send('console small\necho first-$((41 + 1))\necho second-$((42 + 1))')
        machine.expect(r'^\[small\] first-42')
        machine.expect(r'^\[small\] second-43')
        machine.absent(r'unknown verb')
        machine.type('\x1d')
        machine.send('destroy small')
        machine.finish(0)
