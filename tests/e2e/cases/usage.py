"""What ./run says to its caller before anything boots."""

import os
import subprocess

from host import ROOT, folder, host_xml
from machine import Failure, equal

RUN = os.path.join(ROOT, 'run')


def ask(*arguments):
    """Runs ./run; status, standard output, standard error."""
    done = subprocess.run([RUN, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def refused(*arguments):
    """Wrong usage: status 2 and one line that says what is wrong."""
    status, out, err = ask(*arguments)
    equal(status, 2, f'the exit status of ./run {" ".join(arguments)}')
    equal(out, '', 'standard output')
    equal(err.count('\n'), 1, f'the number of lines in {err!r}')


def test_help(_):
    status, out, err = ask('--help')
    equal((status, err), (0, ''), 'status and standard error')
    for option in ('--headless', '--timeout', '--cpus', '--memory', '--disk', '--nic', '--device',
                   '--qemu', '--iommu', '--gdb', '--icount', '--build-only', '--iso'):
        if option not in out:
            raise Failure(f'--help does not tell of {option}')


def test_wrong_options(_):
    refused('--nonsense')
    refused('--timeout')
    refused('--timeout', '0')
    refused('--timeout', 'soon')
    refused('--cpus', '0')
    refused('--cpus', '-1')
    refused('--memory', '')
    refused('--memory=1G')
    refused('--icount', '--cpus', '2')
    refused('one', 'two')
    refused('')
    refused('--iso', '')
    refused('--iommu')
    refused('--iommu', 'vt-d')


def test_wrong_files(name):
    refused('/no/such/folder')
    refused('--disk', '/no/such/disk.img')
    refused('--disk', 'virtio:/no/such/disk.img')
    refused(folder(name + '-empty', {}))
    taken = folder(name + '-taken', {'host.xml': host_xml()})
    os.mkdir(os.path.join(taken, 'bulkhead'))
    refused(taken)


def test_too_many(name):
    path = folder(name, {'host.xml': host_xml(), 'disk.img': b'\0' * 512})
    image = os.path.join(path, 'disk.img')
    refused(*['--disk', image] * 13, path)
    refused(*['--nic', 'user,model=e1000e'] * 16, path)


def test_second_build_makes_nothing(name):
    """Nothing is packed or built again that has not changed, and the bundle is reproducible."""
    path = folder(name, {'host.xml': host_xml()})
    bundles = os.path.join(ROOT, 'build', 'bundles')
    equal(ask('--build-only', path)[0], 0, 'the exit status')
    before = {file: os.stat(os.path.join(bundles, file)).st_mtime_ns
              for file in os.listdir(bundles)}
    equal(ask('--build-only', path), (0, '', ''), 'the second run')
    after = {file: os.stat(os.path.join(bundles, file)).st_mtime_ns for file in before}
    equal(after, before, 'the time of the bundles')
