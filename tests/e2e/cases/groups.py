"""Functions that reach each other past the IOMMU: how they are shown, and that they stay together."""

from host import busybox, domain, host
from machine import boot, equal
from guest import answer

# Two functions of one device; a port with access control; a switch whose ports have none; a bridge
# to conventional PCI.
MACHINE = [word for device in (
    'e1000e,bus=pcie.0,addr=1a.0,multifunction=on',
    'e1000e,bus=pcie.0,addr=1a.1',
    'pcie-root-port,id=rp,bus=pcie.0,addr=18.0,chassis=1',
    'e1000e,bus=rp',
    'pcie-root-port,id=above,bus=pcie.0,addr=19.0,chassis=2',
    'x3130-upstream,id=switch,bus=above',
    'xio3130-downstream,id=left,bus=switch,chassis=3,slot=1,addr=0',
    'xio3130-downstream,id=right,bus=switch,chassis=4,slot=2,addr=1',
    'e1000e,bus=left',
    'e1000e,bus=right',
    'pcie-pci-bridge,id=bridge,bus=pcie.0,addr=1b.0',
    'e1000,bus=bridge,addr=1',
    'e1000,bus=bridge,addr=2',
) for word in ('--device', device)]
CARD = 0x020000


def owner(name, *functions):
    """A net domain with functions, named as nodedev-list does."""
    devices = []
    for function in functions:
        _, segment, bus, slot, number = function.split('_')
        devices.append("<hostdev type='pci'>\n<source>\n"
                       f"<address domain='0x{segment}' bus='0x{bus}' slot='0x{slot}' "
                       f"function='0x{number}'/>\n</source>\n</hostdev>")
    return domain(name, '/bulkhead/net.elf', 32, devices='\n'.join(devices))


def test_groups(name):
    """Each kind of group on one machine: the list, the tree, a description; a half is refused."""
    files = {'/alone.xml': owner('alone', 'pci_0000_01_00_0'),
             '/half.xml': owner('half', 'pci_0000_04_00_0'),
             '/whole.xml': owner('whole', 'pci_0000_00_1a_0', 'pci_0000_00_1a_1'),
             '/small.xml': busybox(after='')}
    with boot(name, host(name, files, ['vmlinuz', 'busybox.img']), *MACHINE) as machine:
        machine.expect(r'^\[control\] /half.xml:12: PCI function 0000:04:00.0 is one of a group that '
                       r'no IOMMU keeps apart \(0000:04:00.0, 0000:05:00.0\): give all of them to one')
        machine.expect(r'^\[small\] busybox: up')
        rows = answer(machine, 'nodedev-list')
        cards = {}
        for row in rows:
            if row['class'] == CARD:
                cards.setdefault(row['group'], []).append((row['name'], row['contained']))
        equal(sorted(cards.values()), [
            [('pci_0000_00_1a_0', True), ('pci_0000_00_1a_1', True)], [('pci_0000_01_00_0', True)],
            [('pci_0000_04_00_0', True), ('pci_0000_05_00_0', True)],
            [('pci_0000_06_01_0', False), ('pci_0000_06_02_0', False)]], 'the groups of the cards')
        equal({row['name']: row['owner'] for row in rows if row['owner']},
              {'pci_0000_00_1a_0': 'whole', 'pci_0000_00_1a_1': 'whole',
               'pci_0000_01_00_0': 'alone'}, 'the owners')
        text = machine.ask('nodedev-dumpxml pci_0000_00_1a_1', r'(?s)<device>.*?</device>').group()
        for part in ("<class>0x020000</class>", "<vendor id='0x8086'/>", "owner='whole'",
                     "<address domain='0x0000' bus='0x00' slot='0x1a' function='0x0'/>"):
            equal(part in text, True, f'{part} in the description')
        machine.ask('nodedev-list --tree', r'^\[control\]   \+- pci_0000_00_1a_0 '
                                           r'\(group \d+, of whole\)')
        machine.send('poweroff --now')
        machine.finish(1)  # A half could not be started.
