"""A domain's life from the control prompt, and ./run's end and exit status."""

from host import busybox, domain, host
from machine import attach, boot, boot_interactive

HELLO = domain('hello', '/bulkhead/hello.elf', 16)


def test_hello(name):
    """The smallest domain of ours prints; poweroff ends the machine with status 0."""
    with boot(name, host(name, {'/hello.xml': HELLO})) as machine:
        machine.expect(r'^\[hello\] ')
        machine.send('poweroff')
        machine.finish(0)


def test_ends_by_itself(name):
    """The last guest's power-off ends a headless machine; end of input ends nothing before."""
    path = host(name, {'/small.xml': busybox()}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.close_input()
        machine.expect(r'^\[small\] busybox: up after ')
        machine.finish(0)


def test_crash_is_status_1(name):
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        machine.type('echo c > /proc/sysrq-trigger\n')
        machine.finish(1)


def test_timeout_is_status_124(name):
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path, guard=15) as machine:
        machine.finish(124)


def test_verbs(name):
    """list, dominfo, dumpxml, suspend, resume, console, destroy and create of one guest."""
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.ask('list', r'^\[control\] .*\bsmall\b.*\brunning\b')
        machine.ask('list --json', r'"name": *"small"')
        machine.ask('dominfo small', r'\bsmall\b')
        machine.ask('dumpxml small', r"<domain type=['\"]xen['\"]")
        machine.send('suspend small')
        machine.ask('list', r'^\[control\] .*\bsmall\b.*\bpaused\b')
        machine.send('resume small')
        machine.ask('list', r'^\[control\] .*\bsmall\b.*\brunning\b')
        attach(machine)
        machine.send('echo one-$((41 + 1))')
        machine.expect(r'^\[small\] one-42')
        machine.type('\x1d')
        machine.ask('store ls /local/domain', r'^\[control\] .*\d')
        machine.ask('dmesg', r'\[control\] .*Bulkhead')
        machine.send('destroy small')
        machine.finish(0)


def test_reboot_and_shutdown(name):
    """A guest is asked to restart by the store, comes back, and is then asked to stop."""
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        attach(machine)
        machine.send('reboot -f')
        machine.expect(r'^\[small\] busybox: up after ')
        machine.type('\x1d')
        machine.send('destroy small')
        machine.finish(0)


def test_asked_by_the_store(name):
    """reboot and shutdown ask the guest; it does them itself."""
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.send('reboot small')
        machine.expect(r'^\[small\] busybox: up after ')
        machine.send('shutdown small')
        machine.finish(0)


def test_terminal(name):
    """At a terminal: a prompt, ^C for the guest, ^] back to the prompt, poweroff."""
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot_interactive(name, path) as machine:
        machine.expect(r'small: started')
        machine.expect(r'bulkhead> ')
        machine.send('console small')
        machine.expect(r'/ # ')
        # Only when cat is there to read: the shell's line editor would take the line apart.
        machine.ask("sh -c 'echo re''ady; cat'", r'^ready\n')
        machine.send('echoed')
        machine.expect(r'^echoed')
        machine.expect(r'^echoed')
        machine.type('\x03')
        machine.expect(r'/ # ')
        machine.type('\x1d')
        machine.expect(r'bulkhead> ')
        machine.ask('list', r'\bsmall\b.*\brunning\b')
        machine.send('poweroff')
        machine.finish(0)


def test_store_verbs(name):
    path = host(name, {'/small.xml': busybox(after='')}, ['vmlinuz', 'busybox.img'])
    with boot(name, path) as machine:
        machine.expect(r'^\[small\] busybox: up after ')
        machine.send('store write /tool/test hello-store')
        machine.ask('store read /tool/test', r'^\[control\] .*hello-store')
        machine.ask('store ls /tool', r'^\[control\] .*test')
        machine.send('destroy small')
        machine.finish(0)
