"""What one owner leaves in a PCI function, and what is done about it before the next gets it."""

from host import block, busybox, disk, domain, function, host, net, raw_disk
from machine import attach, boot

EDU = ('--device', 'edu,bus=pcie.0,addr=1e.0')
BEHIND = ('--device', 'pcie-root-port,id=behind,bus=pcie.0,addr=1d.0,chassis=9',
          '--device', 'edu,bus=behind')


def again(machine, name, first):
    """Starts a domain as soon as the end of its last life is over, and waits for what is said
    first."""
    while 'exists already' in machine.ask(
            f'create /{name}.xml', rf'^\[control\] .*exists already|{first}').group():
        pass


def test_without_any(name):
    """A function without a reset: the core says what remains, and the next owner does find it."""
    path = host(name, {'/reset.xml': domain('reset', '/reset.elf', 16, devices=function(0x1e)),
                       '/small.xml': busybox(after='')},
                ['reset.elf', 'vmlinuz', 'busybox.img'], iommu='yes')
    with boot(name, path, '--iommu', 'intel', *EDU) as machine:
        machine.expect(r'^\[reset\] reset: clean')
        machine.expect(r'^\[core\] PCI 00f0 cannot be reset: what its last owner left in it stays')
        again(machine, 'reset', r'^\[reset\] reset: used')
        machine.expect(r'^\[reset\] result success')
        machine.send('destroy small')
        machine.finish(0)
        machine.absent('reset by')


def test_by_its_bus(name):
    """The only function behind a port: its bus is reset, its memory is where it was."""
    far = function(0).replace("bus='0x00'", "bus='0x01'")
    path = host(name, {'/reset.xml': domain('reset', '/reset.elf', 16, devices=far),
                       '/small.xml': busybox(after='')},
                ['reset.elf', 'vmlinuz', 'busybox.img'], iommu='yes')
    with boot(name, path, '--iommu', 'intel', *BEHIND) as machine:
        machine.expect(r'^\[reset\] result success')
        again(machine, 'reset', r'^\[core\] PCI 0100: reset by its bus')
        machine.expect(r'^\[reset\] result success')
        machine.send('destroy small')
        machine.finish(0)
        machine.absent('cannot be reset')


def test_driver_domains(name):
    """A disk by FLR, a card by its power state: destroyed and made anew, their drivers work."""
    devices = f"<devices>\n{disk('/dev/nvme0n1p1')}\n</devices>\n"
    small = busybox(after='').replace('</domain>', devices + '</domain>')
    path = host(name, {'/block.xml': block(), '/net.xml': net(), '/small.xml': small},
                ['vmlinuz', 'busybox.img'], iommu='yes', manual=['/small.xml'])
    with boot(name, path, '--iommu', 'intel', '--disk', raw_disk(name), '--nic', 'user') as machine:
        machine.expect(r'^\[block\] .*nvme0n1')
        machine.ask('destroy block', r'^\[control\] .*destroyed')
        machine.ask('destroy net', r'^\[control\] .*destroyed')
        again(machine, 'block', r'^\[core\] PCI 0020: reset by FLR')
        again(machine, 'net', r'^\[core\] PCI 0080: reset by power state')
        machine.ask('create /small.xml', r'^\[control\] small: started')
        attach(machine)
        machine.send('dd if=/dev/urandom of=/tmp/r bs=64k count=16; dd if=/tmp/r of=/dev/xvda '
                     'bs=64k conv=fsync; echo 3 >/proc/sys/vm/drop_caches; '
                     'dd if=/dev/xvda bs=64k count=16 | cmp - /tmp/r && echo "same"')
        machine.expect(r'^\[small\] same')
        machine.send('poweroff -f')
        machine.finish(0)
        machine.absent('cannot be reset')
